"""Configuration of the ingestion pipeline: source of the data, limits of data quality, expectations."""

from accidents.configuration.data_quality import DataQualityLimits
from accidents.configuration.expectations import ExpectationSettings
from accidents.configuration.source import DATAGOUV, SourceSettings
from accidents.settings import Settings


class IngestionSettings(Settings):
    """Settings of reading, validating and cleaning the published files."""

    source: SourceSettings = SourceSettings()
    limits: DataQualityLimits = DataQualityLimits()
    expectations: ExpectationSettings = ExpectationSettings()

    @property
    def effective_expectations(self) -> ExpectationSettings:
        """The expectations with a default for `whole_years`: true for data.gouv.fr, whose years are complete."""
        declared = self.expectations.whole_years
        whole = self.source.location == DATAGOUV if declared is None else declared
        return self.expectations.model_copy(update={"whole_years": whole})
