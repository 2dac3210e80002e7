"""Read access to the MLflow model registry: models, versions and their stages.

MLflow's own stages are deprecated. A stage is stored as a model alias, `production` or `staging`; the tag `stage` of a
version repeats it and distinguishes Archived from None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from accidents.bundle import Bundle
from accidents.bundle.archive import is_pickle
from accidents.configuration.source import SAMPLE
from accidents.configuration.stages import ARCHIVED, NONE, PRODUCTION, STAGES, STAGING
from accidents.evaluation.metrics import METRICS
from accidents.temporary_files import temporary_folder
from accidents.training.final_model import check_twin
from tracking.connection import Connection
from tracking.errors import RegistryError
from tracking.model_files import TWIN_FILE, model_file, verify
from tracking.names import registered_names, resolve_model_name

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

ALIASES = {STAGING: "staging", PRODUCTION: "production"}
"""Aliases of the stages that one version of a model holds at most."""

STAGE_TAG = "stage"


@dataclass(frozen=True)
class RegisteredVersion:
    """A registered version of a model.

    Attributes:
        name: registered model name.
        version: version number.
        stage: one of `STAGES`.
        aliases: MLflow aliases.
        run_id: MLflow run of the model.
        model_uri: `models:/m-…`.
        created: time of the registration, in UTC.
        tags: facts and test metrics of the training.
        description: text for people.
    """

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
        """Name and version number."""
        return f"{self.name} {self.version}"

    @property
    def synthetic(self) -> bool:
        """Whether the model was trained on synthetic accidents."""
        return self.tags.get("source") == SAMPLE

    @property
    def final(self) -> bool:
        """Whether its model file is a final model, with its evaluated twin beside it."""
        return bool(self.tags.get("evaluated_twin"))

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics on the test set of its training; of a final model those of its evaluated twin."""
        return {name: float(self.tags[name]) for name in METRICS if name in self.tags}


class Registry:
    """The model registry of a connection; nothing is cached."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def resolve_name(self, text: str) -> str:
        """The registered name for a registered name in any letter case, or for a model type.

        Raises:
            RegistryError: there is no such model; names the existing ones.
        """
        return resolve_model_name(text, self.connection.model_name_prefix)

    def possible_names(self) -> list[str]:
        """Registered names of all model types, sorted, whether they are registered or not."""
        return sorted(registered_names(self.connection.model_name_prefix).values())

    def models(self) -> list[str]:
        """Names of the registered models of this project, sorted."""
        names = set(self.possible_names())
        models = self.connection.client.search_registered_models(max_results=1000)
        return sorted(model.name for model in models if model.name in names)

    def versions(self, name: str) -> list[RegisteredVersion]:
        """All versions of a model, latest first.

        Raises:
            RegistryError: the model is not registered.
        """
        model = self._model(name)
        versions = self.connection.client.search_model_versions(f"name = '{name}'", max_results=10_000)
        return sorted(
            (_registered_version(model, one) for one in versions), key=lambda one: int(one.version), reverse=True
        )

    def version(self, name: str, number: str) -> RegisteredVersion:
        """One version.

        Raises:
            RegistryError: the model or version does not exist; names the existing ones.
        """
        versions = self.versions(name)
        for one in versions:
            if one.version == str(number):
                return one
        numbers = ", ".join(one.version for one in reversed(versions)) or "none"
        raise RegistryError(f"{name} has no version {number}; there are {numbers}")

    def latest(self, name: str) -> RegisteredVersion:
        """The version with the highest number.

        Raises:
            RegistryError: the model has no version.
        """
        versions = self.versions(name)
        if not versions:
            raise RegistryError(f"{name} has no version: train one with 'python run.py --training'")
        return versions[0]

    def holder(self, name: str, stage: str) -> RegisteredVersion | None:
        """The latest version in a stage; None without one."""
        return next((one for one in self.versions(name) if one.stage == stage), None)

    def by_alias(self, name: str, alias: str) -> RegisteredVersion:
        """The version with an alias.

        Raises:
            RegistryError: no version has the alias.
        """
        for one in self.versions(name):
            if alias in one.aliases:
                return one
        raise RegistryError(f"no version of {name} has the alias '{alias}'")

    def in_stage(self, name: str, stage: str) -> RegisteredVersion:
        """Like `holder`, but raises without one.

        Raises:
            RegistryError: no version is in the stage; names those that are in another one.
        """
        version = self.holder(name, stage)
        if version is None:
            others = [f"{one.version} is in {one.stage}" for one in self.versions(name) if one.stage != NONE]
            raise RegistryError(f"no version of {name} is in {stage}; {', '.join(others) or 'none has a stage'}")
        return version

    def best(self, metric: str = "f1", stage: str = PRODUCTION) -> RegisteredVersion:
        """The version with the best recorded metric among the holders of a stage, over all models.

        Metrics on synthetic accidents do not transfer to real ones: as soon as a model trained on real accidents holds
        the stage, models trained on synthetic ones are left out.

        Raises:
            RegistryError: no model is in the stage.
        """
        holders = [one for name in self.models() if (one := self.holder(name, stage))]
        if not holders:
            others = [one.title for name in self.models() for one in self.versions(name) if one.stage in ALIASES]
            staged = f"; in another stage: {', '.join(others)}" if others else ""
            raise RegistryError(
                f"no model is in {stage} in {self.connection.target}{staged}; promote one: "
                "python run.py registry promote --help"
            )
        real = [one for one in holders if not one.synthetic]
        return max(real or holders, key=lambda one: one.metrics.get(metric, float("-inf")))

    def download_bundle(self, version: RegisteredVersion, folder: Path) -> Path:
        """Download the bundle of a version into a folder; returns the path of the file.

        Raises:
            RegistryError: the files were changed since the registration, or have no registered digests; the version
                has no bundle, or one of an older format.
        """
        files = download_unverified(version, folder)
        file = model_file(version.title, files)
        if is_pickle(file.read_bytes()):
            raise RegistryError(
                f"{version.title} is a model file of an older format; register it again in the current format: "
                "python run.py registry convert"
            )
        verify(version.title, files, version.tags)
        return file

    def load_bundle(self, version: RegisteredVersion) -> Bundle:
        """Download and load the bundle of a version, the one that answers requests."""
        with temporary_folder() as folder:
            return Bundle.load(self.download_bundle(version, folder))

    def load_evaluated_bundle(self, version: RegisteredVersion) -> Bundle:
        """Download and load the model of a version that can be evaluated: of a final model its evaluated twin.

        Raises:
            ModelError: the twin is not the one that the final model names.
        """
        with temporary_folder() as folder:
            file = self.download_bundle(version, folder)
            bundle, twin_file = Bundle.load(file), file.with_name(TWIN_FILE)
            if not bundle.evaluated_twin:
                return bundle
            twin = Bundle.load(twin_file)
            check_twin(bundle, twin, version.title)
            return twin

    def _model(self, name: str) -> "RegisteredModel":
        from mlflow.exceptions import MlflowException

        try:
            return self.connection.client.get_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            others = ", ".join(self.models()) or "none yet: python run.py --training"
            raise RegistryError(f"no model {name} is registered; registered are {others}") from None


def download_files(version: RegisteredVersion, folder: Path) -> Path:
    """Download all files of a version, and compare them with the registered digests. Call it inside `connect`.

    Returns:
        The folder of the MLflow model.

    Raises:
        RegistryError: the files were changed since the registration, or have no registered digests.
    """
    files = download_unverified(version, folder)
    verify(version.title, files, version.tags)
    return files


def download_unverified(version: RegisteredVersion, folder: Path) -> Path:
    """Like `download_files`, without comparing the files with the digests."""
    import mlflow

    uri = f"models:/{version.name}/{version.version}"
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))
    except (mlflow.MlflowException, OSError) as error:
        raise RegistryError(f"{version.title}: its files cannot be read from the artifact store: {error}") from error


def stage_from_alias(number: str, aliases: Mapping[str, str], tag: str) -> str:
    """The stage of a version, from the aliases of its model and its own stage tag.

    A version whose tag names a stage without the alias of that stage is archived.
    """
    for stage in (PRODUCTION, STAGING):
        if str(aliases.get(ALIASES[stage])) == number:
            return stage
    return ARCHIVED if tag in STAGES and tag != NONE else NONE


def _registered_version(model: "RegisteredModel", version: "ModelVersion") -> RegisteredVersion:
    number, aliases = str(version.version), dict(model.aliases)
    return RegisteredVersion(
        name=model.name,
        version=number,
        stage=stage_from_alias(number, aliases, version.tags.get(STAGE_TAG, NONE)),
        aliases=tuple(sorted(alias for alias, held in aliases.items() if str(held) == number)),
        run_id=version.run_id or "",
        model_uri=version.source or "",
        created=datetime.fromtimestamp((version.creation_timestamp or 0) / 1000, tz=UTC),
        tags=dict(version.tags),
        description=version.description or "",
    )
