"""API keys: authentication of callers and authorization by role."""
