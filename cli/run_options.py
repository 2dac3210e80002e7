"""Flags of `python run.py`: a field of `RunOptions` declares one flag with the modes that take it.

Imports nothing heavy: `--help` must answer at once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from accidents.columns import LEVELS
from accidents.configuration.stages import STAGES
from accidents.models import model_types
from cli.mode_option import check_combination, mode_options, option, switch, value_list
from cli.options import CommaSeparated, join_values, set_debug

if TYPE_CHECKING:
    from accidents.configuration.loading import Configuration

PIPELINES = ("ingestion", "features", "training", "evaluation", "inference", "deployment")
"""Modes that run a pipeline, in the order in which they run."""

NOT_IN_ALL = ("inference", "deployment")
"""Pipelines that `--all` leaves out."""

SOURCE_PIPELINES = ("ingestion", "features", "training", "evaluation")
"""Pipelines that read the source."""

RESAMPLING = ("none", "smote", "class_weight", "undersample")
TUNING = ("none", "grid", "optuna")

_MODES = "Modes (pipelines run in this order; --predict and --serve alone)"
_CHOICES = "Choices (they override the configuration)"
_MODEL = "Model (by default the best one of the latest training)"
_SERVICE = "Service (--serve)"
_FILES = "Files and behaviour"
_TAKES_FILE = ("evaluation", "inference", "predict", "serve")
_TAKES_MODEL = (*_TAKES_FILE, "deployment")
_SERVE = ("serve",)
_TRAINING = ("training",)
_DEPLOYMENT = ("deployment",)


@dataclass(frozen=True)
class RunOptions:
    """The command line of `python run.py`, but for its subcommands."""

    ingestion: bool = switch(_MODES, "read, validate and clean the data")
    features: bool = switch(_MODES, "compute the features of the accidents")
    training: bool = switch(_MODES, "train, evaluate and compare the models")
    evaluation: bool = switch(_MODES, "measure a trained model on labelled data")
    inference: bool = switch(_MODES, "score many accidents: --input to --output")
    deployment: bool = switch(_MODES, "serve a registered model; with --status or --stop")
    all: bool = switch(_MODES, "ingestion, features, training and evaluation")
    predict: str | None = option(
        _MODES,
        "predict one accident from a JSON file, - for standard input; prompts for the facts without a file",
        metavar="[FILE]",
        is_flag=False,
        flag_value="",
        alone=True,
    )
    serve: bool = switch(_MODES, "answer over HTTP until Ctrl-C", alone=True)

    source: str | None = option(
        _CHOICES,
        "sample (default), datagouv, a folder, or a URL like s3://…",
        metavar="SOURCE",
        modes=SOURCE_PIPELINES,
        key="ingestion.source.location",
    )
    years: str | None = value_list(
        _CHOICES,
        "2021, 2019-2024 or 2019,2021",
        metavar="YEARS",
        callback=join_values,
        modes=SOURCE_PIPELINES,
        key="ingestion.source.years",
    )
    models: tuple[str, ...] = value_list(
        _CHOICES,
        f"all, or some of {', '.join(model_types())}",
        type=CommaSeparated(model_types()),
        metavar="MODELS",
        modes=_TRAINING,
        key="training.models",
    )
    level: str | None = option(
        _CHOICES,
        "which facts are available when the model is asked",
        type=click.Choice(LEVELS),
        modes=("features", "training"),
        key="features.level",
    )
    resampling: str | None = option(
        _CHOICES,
        "how training folds are balanced",
        type=click.Choice(RESAMPLING),
        modes=_TRAINING,
        key="training.resampling",
    )
    tune: str | None = option(
        _CHOICES,
        "search for hyperparameters",
        type=click.Choice(TUNING),
        modes=_TRAINING,
        key="training.tuning.method",
    )
    no_geography: bool = switch(
        _CHOICES,
        "train without the place as well, and compare",
        modes=_TRAINING,
        key="training.compare_without_geography",
    )

    model_path: str | None = option(_MODEL, "a model file", metavar="FILE", modes=_TAKES_FILE, one_of="model")
    model_name: str | None = option(
        _MODEL, "a registered model, in any letter case", metavar="NAME", modes=_TAKES_MODEL, one_of="model"
    )
    best: bool = switch(_MODEL, "the best Production model of all registered ones", modes=_TAKES_MODEL, one_of="model")
    stage: str | None = option(
        _MODEL,
        "of --model-name: its version in this stage (Production)",
        type=click.Choice(STAGES),
        needs="model_name",
        one_of="version",
        key="deployment.stage",
        key_modes=_DEPLOYMENT,
    )
    alias: str | None = option(
        _MODEL,
        "of --model-name: its version with this alias",
        metavar="ALIAS",
        modes=_TAKES_FILE,
        needs="model_name",
        one_of="version",
    )
    version: str | None = option(
        _MODEL, "of --model-name: the version of this number", metavar="N", needs="model_name", one_of="version"
    )

    host: str | None = option(
        _SERVICE,
        "address to listen on (127.0.0.1); another one needs keys",
        metavar="HOST",
        modes=_SERVE,
        key="serving.host",
    )
    port: int | None = option(
        _SERVICE, "port to listen on (8080); 0: any free one", type=int, modes=_SERVE, key="serving.port"
    )
    workers: int | None = option(_SERVICE, "worker processes (1)", type=int, modes=_SERVE, key="serving.workers")
    anonymous: bool = switch(
        _SERVICE, "answer without a key, on this machine alone", modes=_SERVE, key="serving.anonymous"
    )

    config: tuple[str, ...] = option(
        _FILES,
        "a YAML file in place of the one in configs/; repeatable",
        default=(),
        metavar="FILE",
        multiple=True,
    )
    stack: str | None = option(_FILES, "ZenML stack for this run alone", metavar="NAME")
    no_cache: bool = switch(_FILES, "run every step, whatever is cached")
    input: str | None = option(
        _FILES,
        "what --inference scores: a folder of BAAC files, or one file",
        metavar="PATH",
        modes=("inference",),
        required_in=("inference",),
    )
    output: str | None = option(
        _FILES,
        "where --inference writes: .csv, .parquet or .jsonl",
        metavar="PATH",
        modes=("inference",),
        required_in=("inference",),
    )
    allow_untracked: bool = switch(
        _FILES, "train on where MLflow does not answer", modes=_TRAINING, key="tracking.allow_untracked"
    )
    status: bool = switch(
        _FILES, "of --deployment: what is served, and where", modes=_DEPLOYMENT, alone=True, one_of="action"
    )
    stop: bool = switch(_FILES, "of --deployment: stop serving", modes=_DEPLOYMENT, alone=True, one_of="action")
    csv: bool = switch(_FILES, "write the tables under data/ as CSV, too")
    debug: bool = switch(_FILES, "show tracebacks and all messages", callback=set_debug)

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
        values = {option.key: option.value(self) for option in overriding}
        return load_configuration(map(Path, self.config), values, {option.key: option.flag for option in overriding})


OPTIONS = tuple(mode_options(RunOptions))
"""The fields of `RunOptions` as options of click."""
