"""The bytes of one file: containers, header, checksums, compression, loading."""
