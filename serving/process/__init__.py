"""The processes of the service: supervisor, server and what it may bind to."""
