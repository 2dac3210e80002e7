"""What synthetic accidents are called, wherever a source of accidents is named."""

SAMPLE = "sample"
"""The location of synthetic accidents; those of every other are real."""
