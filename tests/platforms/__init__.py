"""Operating systems other than the one that the tests run on."""
