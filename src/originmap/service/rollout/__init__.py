"""Rollouts: their steps and state, and snapshots of released revisions."""
