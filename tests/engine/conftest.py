"""A cluster of two processes, three synthetic years, and what one process makes of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import pytest

from accidents.configuration.engine import EngineSettings
from accidents.configuration.ingestion import IngestionSettings
from accidents.configuration.source import SampleSettings, SourceSettings
from accidents.engine import Engine, connect
from accidents.features import feature_frame
from accidents.ingestion import ingest
from accidents.sources.edition import Edition
from accidents.sources.resolve import resolve_editions
from accidents.tables import Accidents


@dataclass(frozen=True)
class Years:
    """Editions, and their accidents and features as one process reads them."""

    editions: list[Edition]
    settings: IngestionSettings
    accidents: Accidents
    features: pd.DataFrame


@pytest.fixture
def cluster() -> Iterator[Engine]:
    """The processes are started once; a test may kill them."""
    with connect(EngineSettings(kind="dask", workers=2, timeout_seconds=300)) as engine:
        yield engine


@pytest.fixture(scope="session")
def years(tmp_path_factory: pytest.TempPathFactory) -> Years:
    source = SourceSettings(
        data_folder=tmp_path_factory.mktemp("years"), sample=SampleSettings(accidents=3000), years="2022-2024"
    )
    editions, settings = resolve_editions(source), IngestionSettings(source=source)
    accidents = ingest(editions, settings).accidents
    return Years(editions, settings, accidents, feature_frame(accidents))
