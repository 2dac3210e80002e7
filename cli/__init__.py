"""The command line: what can be typed, and what is done with it. Knows pipelines; holds no domain logic."""
