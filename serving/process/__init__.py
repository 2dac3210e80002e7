"""Processes of the service: the supervisor, the uvicorn server, and the check of the address to bind."""
