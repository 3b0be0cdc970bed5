"""What the package offers to other projects' tests: the pytest plugin and `originmap.testing`."""
