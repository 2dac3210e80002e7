"""Benchmarks: they measure speed and quality, and print the numbers in the documents."""
