"""Round-trips of the values that other libraries test themselves with."""
