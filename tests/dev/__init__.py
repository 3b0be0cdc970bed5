"""The development server as tests use it: over HTTP, with the fixture `originmap`."""
