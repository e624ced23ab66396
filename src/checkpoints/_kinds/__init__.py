"""How each kind of value is turned into bytes and back, one file per library."""
