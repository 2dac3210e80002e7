"""Errors of MLflow tracking and of the model registry."""

from accidents.errors import AccidentsError


class TrackingError(AccidentsError):
    """The MLflow server or database does not answer, or refuses access."""

    @property
    def summary(self) -> str:
        """First line of the message, without the remedy."""
        return str(self).partition("\n")[0]


class RegistryError(AccidentsError):
    """A registered model, version or stage does not exist, or the change is not allowed."""
