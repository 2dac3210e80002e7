"""Names of the environment variables that the supervisor sets for the server and its workers. Imports nothing."""

SETTINGS_ENV = "ACCIDENTS_SERVING_SETTINGS"
"""The serving settings as JSON."""

POINTER_ENV = "ACCIDENTS_SERVING_POINTER"
"""Path of the model pointer file (`serving.model.pointer.ModelPointer`)."""

SUPERVISOR_PID_ENV = "ACCIDENTS_SERVING_PARENT"
"""Process id of the supervisor."""

SERVER_PID_ENV = "ACCIDENTS_SERVING_SERVER"
"""Process id of the uvicorn main process, which starts the workers."""

DATABASE_URL_ENV = "SERVING_DATABASE_URL"
"""URL of the database of the service; users set this one too."""

METRICS_FOLDER_ENV = "PROMETHEUS_MULTIPROC_DIR"
"""Folder of the multiprocess mode of prometheus_client, which defines the name."""
