"""The domain: BAAC road accidents as frames and arrays.

Pure Python. Nothing here knows ZenML, MLflow, the command line or a web server.
"""
