"""Errors of tracking and registry that a user can do something about."""

from accidents.errors import AccidentsError


class TrackingError(AccidentsError):
    """The MLflow server or store does not answer, or refuses."""

    @property
    def fault(self) -> str:
        """What is wrong, without the remedy that the lines below it name."""
        return str(self).partition("\n")[0]


class RegistryError(AccidentsError):
    """A registered model, version or stage that was named is not there, or may not be changed like this."""
