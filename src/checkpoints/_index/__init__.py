"""What was saved, as a table: found by paths, filtered, sorted, joined, verified."""
