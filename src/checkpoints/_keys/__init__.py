"""Keys: names and tags, the paths that they become, and filters over them."""
