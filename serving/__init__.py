"""The web service: an accident in, a calibrated priority with its reasons out.

Knows the domain; neither ZenML nor the training is needed to serve.
"""
