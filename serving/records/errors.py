"""Errors of the database that a user can correct."""

from accidents.errors import AccidentsError


class RecordsError(AccidentsError):
    """The database cannot be opened, does not answer, or holds unusable content."""


class UnknownPredictionError(RecordsError):
    """No prediction in the database has this id."""
