"""Thin typed steps, one module each: validate at the borders, call the domain, log metadata."""
