"""The parts of the documentation that are generated from the code, one module per page."""
