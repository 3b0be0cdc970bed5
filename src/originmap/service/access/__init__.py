"""Authentication, authorization and the management of tokens."""
