"""Steps that record trainings and register models."""
