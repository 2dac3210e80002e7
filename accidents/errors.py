"""Errors that a user can do something about. Each message names the place, the fault and the remedy."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # errors are imported where pandas is too slow to load
    import pandas as pd


class AccidentsError(Exception):
    """Base of all errors of the project; its text is shown to users as it is, without a traceback."""


class ConfigurationError(AccidentsError):
    """A configuration file or a command line holds something that cannot be used."""


class SourceError(AccidentsError):
    """Data could not be found, downloaded or verified."""


class DataError(AccidentsError):
    """Data were read, and are not fit to be used.

    `report` is the table of everything that was found, where there is one (columns as in `reading.findings`), and
    `page` the HTML page of what was expected of the data as a whole, where they were held against that.
    """

    def __init__(self, message: str, report: "pd.DataFrame | None" = None, page: str | None = None) -> None:
        super().__init__(message)
        self.report = report
        self.page = page


class ModelError(AccidentsError):
    """A model could not be trained, saved, loaded or applied."""


class RequestError(AccidentsError):
    """An accident described by hand or by another program holds something that is refused."""
