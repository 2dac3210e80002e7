"""Errors of tracking and registry that a user can do something about."""

from accidents.errors import AccidentsError


class TrackingError(AccidentsError):
    """The MLflow server or store does not answer, or refuses."""


class RegistryError(AccidentsError):
    """A registered model, version or stage that was named is not there, or may not be changed like this."""
