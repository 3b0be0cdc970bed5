"""The measurement: servers, data, load, rounds and results."""
