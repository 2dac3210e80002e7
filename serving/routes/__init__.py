"""API routes, one module a concern."""
