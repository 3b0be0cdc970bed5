"""Tests of `originmap verify` with correct and wrong servers."""
