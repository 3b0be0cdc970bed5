"""Use cases of detection."""
