"""Prometheus metrics, and the request log with its middleware."""
