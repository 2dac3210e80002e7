"""The configuration of the ingestion pipeline: where data come from, and how much may be wrong with them."""

from accidents.configuration.base import Settings
from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.expectations import ExpectationSettings
from accidents.configuration.source import SourceSettings


class IngestionSettings(Settings):
    """Reading, validating and cleaning of the published files."""

    source: SourceSettings = SourceSettings()
    limits: DataQualityLimits = DataQualityLimits()
    expectations: ExpectationSettings = ExpectationSettings()

    @property
    def expected(self) -> ExpectationSettings:
        """The expectations with `whole_years` decided: years of data.gouv.fr are complete, others need not be."""
        declared = self.expectations.whole_years
        whole = self.source.location == "datagouv" if declared is None else declared
        return self.expectations.model_copy(update={"whole_years": whole})
