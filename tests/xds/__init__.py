"""Envoy's discovery services over gRPC."""
