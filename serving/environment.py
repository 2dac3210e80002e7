"""Environment variables by which the processes of a service are told what they need. Imports nothing."""

SETTINGS = "ACCIDENTS_SERVING_SETTINGS"
"""The settings, in JSON."""

POINTER = "ACCIDENTS_SERVING_POINTER"
"""The file that says which model to serve (`serving.model.pointer.Pointer`)."""

PARENT = "ACCIDENTS_SERVING_PARENT"
"""Number of the launching process."""

SERVER = "ACCIDENTS_SERVING_SERVER"
"""Number of the server's first process, which starts the workers."""

DATABASE = "SERVING_DATABASE_URL"
"""Address of the database of the service, which users set, too."""

SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""Folder in which the workers of a service add up what Prometheus reads; the name is that of its library."""
