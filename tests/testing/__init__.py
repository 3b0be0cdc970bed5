"""The parts for other projects' tests: the pytest plugin and `originmap.testing`."""
