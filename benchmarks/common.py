"""What several benchmarks use: command line, data, settings, timing, and tables."""

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from accidents.tables import Accidents


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the docstring of the benchmark."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def training_options(description: str | None) -> argparse.Namespace:
    """Options of a benchmark of trainings: source and number of repeats."""
    parser = argument_parser(description)
    parser.add_argument("--source", default="sample")
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def options_of_folder(folder: Path, **changes: dict[str, Any]) -> list[str]:
    """Options of `run.py` whose data, models and reports are in a folder.

    Args:
        folder: for these files, and those of the configuration.
        changes: what else is configured, by pipeline; `source` is a part of `ingestion`.
    """
    source = {"data_folder": str(folder / "data" / "raw")} | changes.pop("source", {})
    folders = {"models_folder": str(folder / "models"), "reports_folder": str(folder / "reports")}
    sections = {**changes, "ingestion": {"source": source}, "training": folders | changes.get("training", {})}
    options = []
    folder.mkdir(exist_ok=True)
    for name, section in sections.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"pipeline": name, **section}))
        options += ["--config", str(folder / f"{name}.yaml")]
    return options


def load_accidents(location: str, data_folder: Path | None = None) -> Accidents:
    """Cleaned accidents of a source: `sample`, or a folder of real files; a sample is generated in `data_folder`."""
    from accidents.configuration.loading import load_configuration
    from accidents.ingestion import ingest
    from accidents.sources.resolve import resolve_editions

    folder = {"ingestion.source.data_folder": str(data_folder)} if data_folder else {}
    ingestion = load_configuration(overrides={"ingestion.source.location": location, **folder}).ingestion
    return ingest(resolve_editions(ingestion.source), ingestion).accidents


def best_time(name: str, function: Callable[[], object], repeats: int = 5) -> float:
    """Print the shortest wall and processor seconds of several calls after a first one; return the wall seconds."""
    function()
    walls, processors = [], []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        function()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    print(f"  {name:40} {min(walls):7.3f} s wall {min(processors):7.3f} s processor", flush=True)
    return min(walls)


def mean_and_deviation(values: list[float]) -> str:
    """Mean and standard deviation, such as `0.8123 ± 0.0011`."""
    return f"{np.mean(values):.4f} ± {np.std(values):.4f}"


def print_markdown(rows: Iterable[dict[str, Any]]) -> None:
    """Print rows as a Markdown table."""
    table = pd.DataFrame(rows)
    lines = [table.columns, ["---"] * len(table.columns), *table.to_numpy()]
    print("\n" + "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines))
