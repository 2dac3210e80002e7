"""Compare the service with alternatives on the same accidents: `python -m benchmarks.serving --help`."""
