"""Flags of `python run.py`: a field of `RunOptions` declares one flag with the modes that take it.

Imports nothing heavy: `--help` must answer at once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from accidents.columns import LEVELS
from accidents.configuration.stages import STAGES
from accidents.models import model_types
from cli.mode_option import check_combination, mode_options, option, switch, values
from cli.options import CommaSeparated, join_values, set_debug

if TYPE_CHECKING:
    from accidents.configuration.loading import Configuration

PIPELINES = ("ingestion", "features", "training", "evaluation", "inference", "monitoring", "deployment")
"""Modes that run a pipeline, in the order in which they run."""

NOT_IN_ALL = ("inference", "monitoring", "deployment")
"""Pipelines that `--all` leaves out."""

SOURCE_PIPELINES = ("ingestion", "features", "training", "evaluation")
"""Pipelines that read the source."""

_FROM_SOURCE = (*SOURCE_PIPELINES, "monitoring")
"""Pipelines that can read it; monitoring reads the prediction log where none is named."""

RESAMPLING = ("none", "smote", "class_weight", "undersample")
TUNING = ("none", "grid", "optuna")
ENGINES = ("local", "dask")

_ON_ENGINE = (*_FROM_SOURCE, "inference")
"""Pipelines whose work an engine does."""

_FROM_FILE = ("evaluation", "inference", "monitoring", "predict", "serve")
_FROM_REGISTRY = (*_FROM_FILE, "deployment")
_VERSION_OF_MODEL: dict[str, Any] = {"needs": "model_name", "one_of": "version"}
_REQUIRED_PATH: dict[str, Any] = {"metavar": "PATH", "required_in": ("inference",)}
_ACTION: dict[str, Any] = {"alone": True, "one_of": "action"}


@dataclass(frozen=True)
class RunOptions:
    """The command line of `python run.py`, but for its commands.

    A field declares a flag: its description, the modes that take it (every mode where none are given), the
    configuration key that it overrides, and further attributes of a `ModeOption`.
    """

    ingestion: bool = switch("read, validate and clean the data")
    features: bool = switch("compute the features of the accidents")
    training: bool = switch("train, evaluate and compare the models")
    evaluation: bool = switch("measure a trained model on labelled data")
    inference: bool = switch("score many accidents: --input to --output")
    monitoring: bool = switch("compare the prediction log, or --source, with a model's training data")
    deployment: bool = switch("serve a registered model; with --status or --stop")
    all: bool = switch("ingestion, features, training and evaluation")
    predict: str | None = option(
        "predict one accident from a JSON file, - for standard input; prompts for the facts without a file",
        metavar="[FILE]",
        is_flag=False,
        flag_value="",
        alone=True,
    )
    serve: bool = switch("answer over HTTP until Ctrl-C", alone=True)

    source: str | None = option(
        "sample (default), datagouv, a folder, or a URL like s3://…", _FROM_SOURCE, "ingestion.source.location"
    )
    years: str | None = values(
        "2021, 2019-2024 or 2019,2021", _FROM_SOURCE, "ingestion.source.years", callback=join_values
    )
    models: tuple[str, ...] = values(
        f"all, or some of {', '.join(model_types())}",
        ("training",),
        "training.models",
        type=CommaSeparated(model_types()),
    )
    level: str | None = option(
        "which facts are available at prediction time", ("features", "training"), "features.level", choices=LEVELS
    )
    resampling: str | None = option(
        "how training folds are balanced", ("training",), "training.resampling", choices=RESAMPLING
    )
    tune: str | None = option("search for hyperparameters", ("training",), "training.tuning.method", choices=TUNING)
    final: bool = switch(
        "fit the evaluated models again on all accidents, test set included", ("training",), "training.final"
    )
    no_geography: bool = switch(
        "train without the place as well, and compare", ("training",), "training.compare_without_geography"
    )
    engine: str | None = option(
        "local (default): this process; dask: the workers of a cluster (docs/scale.md)",
        _ON_ENGINE,
        "engine.kind",
        choices=ENGINES,
    )
    engine_address: str | None = option(
        "Dask scheduler, such as tcp://10.0.0.5:8786; without it --engine dask starts processes here",
        _ON_ENGINE,
        "engine.address",
        metavar="ADDRESS",
    )
    engine_workers: int | None = option(
        "processes here (one a processor), or workers to wait for at the address",
        _ON_ENGINE,
        "engine.workers",
        type=int,
        metavar="N",
    )

    model_path: str | None = option("a model file", _FROM_FILE, metavar="FILE", one_of="model")
    model_name: str | None = option(
        "a registered model, in any letter case", _FROM_REGISTRY, metavar="NAME", one_of="model"
    )
    best: bool = switch("the best Production model of all registered ones", _FROM_REGISTRY, one_of="model")
    published: str | None = option(
        "the model that promotion has published in a folder, or at a URL like s3://…",
        ("serve",),
        metavar="LOCATION",
        one_of="model",
    )
    stage: str | None = option(
        "of --model-name: its version in this stage (Production)",
        key="deployment.stage",
        key_modes=("deployment",),
        choices=STAGES,
        **_VERSION_OF_MODEL,
    )
    alias: str | None = option("of --model-name: its version with this alias", _FROM_FILE, **_VERSION_OF_MODEL)
    version: str | None = option("of --model-name: the version of this number", metavar="N", **_VERSION_OF_MODEL)

    shadow: str | None = option(
        "a second model that scores the same accidents, never in an answer: NAME, NAME/VERSION, NAME@ALIAS, or a file",
        ("serve",),
        "serving.shadow.model",
        metavar="NAME",
    )
    host: str | None = option("address to listen on (127.0.0.1); another one needs keys", ("serve",), "serving.host")
    port: int | None = option("port to listen on (8080); 0: any free one", ("serve",), "serving.port", type=int)
    workers: int | None = option("worker processes (1)", ("serve",), "serving.workers", type=int, metavar="N")
    anonymous: bool = switch("answer without a key, on this machine alone", ("serve",), "serving.anonymous")
    classic_interface: bool = switch(
        "answer below /api/v1/, too, in the shapes of the classic project", ("serve",), "serving.classic_interface"
    )

    ask: int | None = option(
        "of --predict: also name the N unknown facts most worth asking for", ("predict",), type=click.IntRange(0, 20)
    )

    config: tuple[str, ...] = option(
        "a YAML file in place of the one in configs/; repeatable", default=(), metavar="FILE", multiple=True
    )
    stack: str | None = option("ZenML stack for this run alone", metavar="NAME")
    no_cache: bool = switch("run every step, whatever is cached")
    input: str | None = option(
        "what --inference scores: a folder of BAAC files, or one file", ("inference",), **_REQUIRED_PATH
    )
    output: str | None = option("where --inference writes: .csv, .parquet or .jsonl", ("inference",), **_REQUIRED_PATH)
    allow_untracked: bool = switch("train on where MLflow does not answer", ("training",), "tracking.allow_untracked")
    status: bool = switch("of --deployment: what is served, and where", ("deployment",), **_ACTION)
    stop: bool = switch("of --deployment: stop serving", ("deployment",), **_ACTION)
    csv: bool = switch("write the tables under data/ as CSV, too")
    debug: bool = switch("show tracebacks and all messages", callback=set_debug)

    @property
    def pipelines(self) -> list[str]:
        """The pipelines to run, in their order."""
        return [name for name in PIPELINES if getattr(self, name) or (self.all and name not in NOT_IN_ALL)]

    @property
    def modes(self) -> list[str]:
        """The pipelines to run, `predict` and `serve`."""
        return [*self.pipelines, *(["predict"] if self.predict is not None else []), *(["serve"] if self.serve else [])]

    def validate(self) -> None:
        """Refuse combinations of which a part would be ignored.

        Raises:
            click.UsageError: names the options and what they go with.
        """
        if self.deployment and (self.model_path or self.alias):
            raise click.UsageError("--deployment takes a registered model: --model-name with --stage or --version")
        check_combination(OPTIONS, self, self.modes)

    def load_configuration(self) -> "Configuration":
        """The configuration files with the options of the command line over them.

        Raises:
            ConfigurationError: a file cannot be read, or a value is refused; names the option.
        """
        from accidents.configuration.loading import load_configuration

        overriding = [option for option in OPTIONS if option.overrides_configuration(self, self.modes)]
        overrides = {option.key: option.value(self) for option in overriding}
        return load_configuration(map(Path, self.config), overrides, {option.key: option.flag for option in overriding})


_SECTIONS = {
    "ingestion": "Modes (pipelines run in this order; --predict and --serve alone)",
    "source": "Choices (they override the configuration)",
    "model_path": "Model (by default the best one of the latest training)",
    "shadow": "Service (--serve)",
    "config": "Files and behaviour",
}
OPTIONS = tuple(mode_options(RunOptions, _SECTIONS))
"""The fields of `RunOptions` as options of click."""
