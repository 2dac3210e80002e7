"""API keys: who a request comes from, and what its role allows."""
