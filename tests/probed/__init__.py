"""A library that never heard of checkpoints, for the tests of probes."""
