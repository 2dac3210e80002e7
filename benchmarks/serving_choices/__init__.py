"""What was tried for the service, each choice by itself: `python -m benchmarks.serving_choices --help`."""
