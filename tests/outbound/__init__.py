"""Tests of outbound HTTP."""
