"""Our own routes: health and metrics, and the additional API under /originmap/v1."""
