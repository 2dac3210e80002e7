"""ZenML steps, one module each: validate data frames, call the domain, log metadata."""
