"""Envoy's discovery services over gRPC, see docs/envoy.md. The only package that imports gRPC."""
