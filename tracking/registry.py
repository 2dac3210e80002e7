"""The MLflow registry as users of stages know it: models, versions, and who holds which stage. Reads only.

A stage is an alias, `production` or `staging`, since MLflow's own stages are on their way out. The tag `stage` of a
version repeats it, and tells Archived from None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.bundle import Bundle
from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION, STAGES, STAGING
from accidents.evaluation.metrics import METRICS
from accidents.sample.source_name import SAMPLE
from tracking.connection import Connection
from tracking.errors import RegistryError
from tracking.names import registered_names

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

ALIASES = {STAGING: "staging", PRODUCTION: "production"}
"""Aliases by the stages that are held by one version at most."""

STAGE_TAG = "stage"


@dataclass(frozen=True)
class RegisteredVersion:
    """A registered version: its number, stage, aliases, run, address of the model, age, tags."""

    name: str
    version: str
    stage: str
    aliases: tuple[str, ...]
    run_id: str
    model_uri: str
    created: datetime
    tags: Mapping[str, str]
    description: str

    @property
    def title(self) -> str:
        """Name and number."""
        return f"{self.name} {self.version}"

    @property
    def synthetic(self) -> bool:
        """Whether it was trained on synthetic accidents."""
        return self.tags.get("source") == SAMPLE

    @property
    def metrics(self) -> dict[str, float]:
        """Figures of the test part of its training."""
        return {name: float(self.tags[name]) for name in METRICS if name in self.tags}


class Registry:
    """What a registry holds. Every call asks it anew."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def models(self) -> list[str]:
        """Names of the registered models of this project, in alphabetical order."""
        known = set(registered_names().values())
        found = self.connection.client.search_registered_models(max_results=1000)
        return sorted(model.name for model in found if model.name in known)

    def versions(self, name: str) -> list[RegisteredVersion]:
        """All versions of a model, the latest first.

        Raises:
            RegistryError: there is no such registered model.
        """
        model = self._model(name)
        found = self.connection.client.search_model_versions(f"name = '{name}'", max_results=10_000)
        return sorted((_version(model, one) for one in found), key=lambda one: int(one.version), reverse=True)

    def version(self, name: str, number: str) -> RegisteredVersion:
        """One version.

        Raises:
            RegistryError: there is no such model or version; names those there are.
        """
        found = self.versions(name)
        for one in found:
            if one.version == str(number):
                return one
        raise RegistryError(f"{name} has no version {number}; there are {_listed(found)}")

    def latest(self, name: str) -> RegisteredVersion:
        """The version of the highest number.

        Raises:
            RegistryError: there is none.
        """
        found = self.versions(name)
        if not found:
            raise RegistryError(f"{name} has no version: train one with 'python run.py --training'")
        return found[0]

    def holder(self, name: str, stage: str) -> RegisteredVersion | None:
        """The version that holds Staging or Production; None where none does."""
        return next((one for one in self.versions(name) if one.stage == stage), None)

    def by_alias(self, name: str, alias: str) -> RegisteredVersion:
        """The version that bears an alias.

        Raises:
            RegistryError: none does.
        """
        for one in self.versions(name):
            if alias in one.aliases:
                return one
        raise RegistryError(f"no version of {name} bears the alias '{alias}'")

    def in_stage(self, name: str, stage: str) -> RegisteredVersion:
        """The version that holds a stage, the latest of several.

        Raises:
            RegistryError: none does; says which stages are held.
        """
        found = self.holder(name, stage)
        if found is None:
            held = [f"{one.version} is in {one.stage}" for one in self.versions(name) if one.stage != NONE]
            raise RegistryError(f"no version of {name} is in {stage}; {', '.join(held) or 'none has a stage'}")
        return found

    def best(self, metric: str = "f1", stage: str = PRODUCTION) -> RegisteredVersion:
        """The version of the best recorded figure over all models that hold a stage.

        Figures on synthetic accidents say nothing about real ones: where a model of real accidents holds the stage,
        those of synthetic ones do not count.

        Raises:
            RegistryError: no model is in that stage.
        """
        held = [one for name in self.models() if (one := self.holder(name, stage))]
        if not held:
            raise RegistryError(f"no model is in {stage}; promote one: python run.py registry promote --help")
        real = [one for one in held if not one.synthetic]
        return max(real or held, key=lambda one: one.metrics.get(metric, float("-inf")))

    def bundle(self, version: RegisteredVersion, folder: Path) -> Path:
        """Fetch the bundle of a version into a folder, and return its file."""
        import mlflow

        place = mlflow.artifacts.download_artifacts(
            artifact_uri=f"models:/{version.name}/{version.version}", dst_path=str(folder)
        )
        files = list((Path(place) / "artifacts").glob("*_model.joblib"))
        if len(files) != 1:
            raise RegistryError(f"{version.title}: holds no model bundle; train it again")
        return files[0]

    def load(self, version: RegisteredVersion) -> Bundle:
        """Load the bundle of a version."""
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            return Bundle.load(self.bundle(version, Path(folder)))

    def _model(self, name: str) -> "RegisteredModel":
        from mlflow.exceptions import MlflowException

        try:
            return self.connection.client.get_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            there = ", ".join(self.models()) or "none yet: python run.py --training"
            raise RegistryError(f"no model {name} is registered; registered are {there}") from None


def stage_from_alias(number: str, aliases: Mapping[str, str], tag: str) -> str:
    """The stage of a version by the aliases of its model and its own tag.

    A version that held a stage and bears its alias no more is archived, whoever took the alias away.
    """
    for stage in (PRODUCTION, STAGING):
        if str(aliases.get(ALIASES[stage])) == number:
            return stage
    return ARCHIVED if tag in STAGES and tag != NONE else NONE


def _version(model: "RegisteredModel", found: "ModelVersion") -> RegisteredVersion:
    number, aliases = str(found.version), dict(model.aliases)
    return RegisteredVersion(
        name=model.name,
        version=number,
        stage=stage_from_alias(number, aliases, found.tags.get(STAGE_TAG, NONE)),
        aliases=tuple(sorted(alias for alias, held in aliases.items() if str(held) == number)),
        run_id=found.run_id or "",
        model_uri=found.source or "",
        created=datetime.fromtimestamp((found.creation_timestamp or 0) / 1000, tz=UTC),
        tags=dict(found.tags),
        description=found.description or "",
    )


def _listed(found: list[RegisteredVersion]) -> str:
    return ", ".join(one.version for one in reversed(found)) or "none"
