"""Tests of the edge agent's modules."""
