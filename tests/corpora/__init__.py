"""Values that other projects test themselves with, saved and loaded."""
