"""Values: how each kind becomes bytes and comes back exactly, a library a file."""
