"""FastAPI service: one accident in, a calibrated probability of high priority with its reasons out.

Uses the domain (`accidents`) only; neither ZenML nor MLflow is needed to serve a model.
"""
