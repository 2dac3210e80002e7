"""The service beside its alternatives, on the same accidents in one run: `python -m benchmarks.serving --help`."""
