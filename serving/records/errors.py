"""Errors of the records that a user can do something about."""

from accidents.errors import AccidentsError


class RecordsError(AccidentsError):
    """The database cannot be opened, does not answer, or holds what cannot be used."""


class UnknownPredictionError(RecordsError):
    """No prediction of the database has this id."""


class UnknownKeyError(RecordsError):
    """No API key of the database has this id."""
