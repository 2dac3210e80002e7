"""Alternatives considered for parts of the service: `python -m benchmarks.serving_choices --help`."""
