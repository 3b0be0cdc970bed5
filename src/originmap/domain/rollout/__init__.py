"""Rollouts: stages, and which revision a node may serve."""
