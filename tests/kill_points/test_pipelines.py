"""Pipelines that are killed at random moments: files are whole, and the next run succeeds."""

from pathlib import Path

import numpy as np
import pytest

from accidents.bundle import Bundle
from tests.kill_points.harness import Commands, kill_again_and_again
from tests.kill_points.leftovers import assert_nothing_is_left, temporary_files
from tests.pipelines.conftest import small_tracked_training
from tests.tracking.helpers import consistent_stages
from tests.trained import small_models
from tracking.names import registered_name
from tracking.registry import Registry

pytestmark = pytest.mark.long

TRAINED = registered_name("logistic_regression")


def test_killed_scoring_leaves_the_old_output_or_the_new_one(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    from accidents.sample.writer import write_sample

    folder = commands.folder / "scores"
    folder.mkdir()
    model, output = commands.folder / "lightgbm_model.zip", folder / "scores.csv"
    small_models()["lightgbm"].trained.bundle.save(model)
    write_sample(commands.folder / "2023", accidents=2000, year=2023, seed=1)
    arguments = ["--inference", "--no-cache", "--model-path", str(model), "--input", str(commands.folder / "2023")]
    arguments += ["--output", str(output)]
    for _ in range(2):
        commands.run(*arguments)
    expected = output.read_bytes()

    def attempt(random: np.random.Generator) -> bool:
        old = random.choice([b"old\n", expected])
        output.write_bytes(old)
        ended = commands.kill(random, *arguments)
        assert output.read_bytes() in (old, expected)
        commands.run(*arguments)
        assert output.read_bytes() == expected
        assert temporary_files(folder) == []
        assert_nothing_is_left(registry)
        return ended.was_killed

    kill_again_and_again(request, "inference", 20, attempt)


def test_killed_trainings_leave_whole_models_and_no_running_runs(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    arguments = ("--training", "--no-cache", *small_tracked_training(commands.folder))
    for _ in range(2):
        commands.run(*arguments)
    models = commands.folder / "models"

    def attempt(random: np.random.Generator) -> bool:
        ended = commands.kill(random, *arguments)
        for file in models.glob("*_model.zip"):
            Bundle.load(file)
        before = len(registry.versions(TRAINED))
        commands.run(*arguments)
        assert len(registry.versions(TRAINED)) == before + 1
        commands.run("registry", "check")
        consistent_stages(registry, TRAINED)
        for version in registry.versions(TRAINED)[:2]:
            registry.load_bundle(version)
        assert temporary_files(commands.folder) == []
        assert_nothing_is_left(registry)
        return ended.was_killed

    kill_again_and_again(request, "training", 15, attempt)


def test_killed_data_pipelines_leave_whole_tables_and_reports(
    request: pytest.FixtureRequest, commands: Commands, registry: Registry
) -> None:
    options = small_tracked_training(commands.folder)
    commands.run("--training", "--no-cache", *options)
    modes = ("--ingestion", "--features", "--evaluation")
    for mode in modes:
        commands.run(mode, "--no-cache", *options)
    expected = outputs(commands.folder)

    def attempt(random: np.random.Generator) -> bool:
        mode = str(random.choice(modes))
        ended = commands.kill(random, mode, "--no-cache", *options)
        for path, content in outputs(commands.folder).items():
            assert content == expected[path], path
        commands.run(mode, "--no-cache", *options)
        assert outputs(commands.folder) == expected
        assert temporary_files(commands.folder) == []
        assert_nothing_is_left(registry)
        return ended.was_killed

    kill_again_and_again(request, "data", 15, attempt)


def outputs(folder: Path) -> dict[str, bytes]:
    """Contents of the tables that pipelines have written, by path."""
    files = [*(folder / "data").rglob("*.csv"), *(folder / "data").rglob("*.parquet")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if not path.name.startswith(".")}
