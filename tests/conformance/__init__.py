"""Recordings of runs of `originmap verify`, and their replay."""
