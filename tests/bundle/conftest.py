"""Model files are tested with the generated accidents of the training tests."""

from tests.training.conftest import frames

__all__ = ["frames"]
