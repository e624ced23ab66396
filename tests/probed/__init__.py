"""A library that knows nothing about checkpoints, for the tests of probes."""
