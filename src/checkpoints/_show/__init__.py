"""What turns a saved value, or a header, into something to look at."""
