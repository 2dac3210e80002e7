"""The configuration of the ingestion pipeline: where data come from, and how much may be wrong with them."""

from accidents.configuration.base import Section
from accidents.configuration.expectations import ExpectationSettings
from accidents.configuration.limits import Limits
from accidents.configuration.source import SourceSettings


class IngestionSettings(Section):
    """Reading, validating and cleaning of the published files."""

    source: SourceSettings = SourceSettings()
    limits: Limits = Limits()
    expectations: ExpectationSettings = ExpectationSettings()
