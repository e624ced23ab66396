"""What a save is known by: names and tags, their paths, and filters over them."""
