"""Run notebooks in a copy of the project, and store them small and clean beside the script that they are paired with.

python -m scripts.notebooks [NAME ...]  run the scripts notebooks/*.py and store them with their outputs as *.ipynb
python -m scripts.notebooks --check     fail where a stored notebook differs from its script, or is not clean

The script is what people edit and review; JupyterLab keeps both in step (jupytext, `jupytext.toml`).
"""

import os
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = PROJECT / "notebooks"
MAX_BYTES = 700_000
"""Bytes of a stored notebook."""

_COPIED = ("accidents", "benchmarks", "cli", "configs", "examples", "materializers", "notebooks", "pipelines", "stacks")
_COPIED_TOO = ("serving", "steps", "tracking")
_UNSET_VARIABLES = ("MLFLOW_TRACKING_URI", "DAGSHUB_REPO", "ZENML_ACTIVE_STACK_ID", "PYTHONHASHSEED")
_METADATA = {
    "jupytext": {"formats": "ipynb,py:percent"},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_PATHS = re.compile(r"(?<![\w.:/~])/(?:home|root|tmp|work|Users|usr|var|private|opt|mnt)/[^\s\"'<>]*")
_ARTIFACT_FOLDER = r"stores/[0-9a-f]{8}-[0-9a-f-]*…?"
"""The folder of ZenML's artifacts: different in every copy, and truncated in a narrow table."""

_DEFINITION = re.compile(r"^\s*(?:def|class|async def) |\blambda\b", re.MULTILINE)


class ProjectCopy:
    """A copy of the project with a ZenML database of its own, in which notebooks run and write their files."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        for name in (*_COPIED, *_COPIED_TOO):
            ignored = shutil.ignore_patterns(
                ".ipynb_checkpoints"
            )  # compiled loops come along, as `make install` leaves them
            shutil.copytree(PROJECT / name, self.project / name, ignore=ignored)
        for name in ("run.py", "Makefile"):
            shutil.copy(PROJECT / name, self.project)
        environment = {name: value for name, value in os.environ.items() if name not in _UNSET_VARIABLES}
        self.environment = environment | {
            "ZENML_CONFIG_PATH": str(folder / "config"),
            "ZENML_LOCAL_STORES_PATH": str(folder / "stores"),
            "PYTHONPATH": str(self.project),
            "COLUMNS": "110",
        }

    def use_small_sample(self, accidents: int = 2000) -> None:
        """Let the synthetic year of the copy have this number of accidents."""
        file = self.project / "configs" / "ingestion.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r"(?<=accidents: )\d+", str(accidents), text, count=1), encoding="utf-8")

    def run(self, notebook: Any, *, seconds: int = 300, allow_errors: bool = False) -> Any:
        """Run all cells in a fresh kernel; returns the notebook with its outputs.

        Raises:
            CellExecutionError: a cell failed that is not tagged `raises-exception`.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            client = NotebookClient(
                notebook,
                timeout=seconds,
                kernel_name="python3",
                allow_errors=allow_errors,
                resources={"metadata": {"path": str(self.project / "notebooks")}},
            )
            return client.execute(env=self.environment)

    def clean(self, notebook: Any) -> Any:
        """Remove from a notebook that has run what varies between runs and machines."""
        notebook.metadata = nbformat.from_dict(_METADATA)
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number:02}"
            tags = cell.metadata.get("tags")
            cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
            if cell.cell_type == "code":
                cell.execution_count = None
                cell.outputs = [self._output(output) for output in _merge_streams(cell.outputs)]
        return notebook

    def _output(self, output: Any) -> Any:
        if "execution_count" in output:
            output.execution_count = None
        if output.output_type == "stream":
            output.text = shorten_paths(output.text, self.project)
        elif "data" in output:
            for kind, content in output.data.items():
                if kind.startswith("text/") and isinstance(content, str):
                    output.data[kind] = shorten_paths(content, self.project)
            output.metadata = nbformat.from_dict({})
        return output


def shorten_paths(text: str, project: Path) -> str:
    """Make the paths in a text relative to the project folder; other temporary folders become `…`."""
    for long, short in (
        (re.escape(f"{project}/"), ""),
        (re.escape(str(project)), "."),
        (re.escape(str(project.parent)), "…"),
        (_ARTIFACT_FOLDER, "stores/…"),
    ):
        text = _replace(text, long, short)
    return text


def _replace(text: str, long: str, short: str) -> str:
    """Replace every match of the pattern `long`; in a table with borders the columns keep their width."""
    found = 1
    while found:
        text, found = re.subn(
            rf"({long})([^│\n]*)(│?)",
            lambda match: short + match[2] + (" " * (len(match[1]) - len(short)) if match[3] else "") + match[3],
            text,
        )
    return text


def _merge_streams(outputs: list[Any]) -> Iterator[Any]:
    """Merge successive outputs of the same stream."""
    last: Any = None
    for output in outputs:
        if not output.get("text") and not output.get("data", {}).get("text/plain", "nothing").strip():
            continue  # a cleared progress bar
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
            continue
        if last is not None:
            yield last
        last = output
    if last is not None:
        yield last


def script_path(name: str) -> Path:
    """Path of the script of a notebook."""
    return FOLDER / f"{name}.py"


def notebook_path(name: str) -> Path:
    """Path of a stored notebook."""
    return FOLDER / f"{name}.ipynb"


def names() -> list[str]:
    """All notebooks, in order."""
    return sorted(path.stem for path in FOLDER.glob("[0-9]*.py"))


def read_script(name: str) -> Any:
    """Read a script as a notebook without outputs."""
    return jupytext.read(script_path(name))


def find_problems(name: str) -> list[str]:
    """Problems of a stored notebook, one sentence each."""
    path = notebook_path(name)
    if not path.is_file():
        return [f"{name}: is not stored; run python -m scripts.notebooks {name}"]
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    found = []
    if _sources(notebook) != _sources(read_script(name)):
        found.append("differs from its script")
    if len(text) > MAX_BYTES:
        found.append(f"has {len(text):,} bytes, more than {MAX_BYTES:,}")
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            found += [f"cell {number} {problem}" for problem in _cell_problems(cell)]
    return [f"{name}: {problem}" for problem in found]


def _sources(notebook: Any) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def _cell_problems(cell: Any) -> Iterator[str]:
    if _DEFINITION.search(cell.source):
        yield "defines a function or a class of its own"
    if cell.execution_count is not None or any(output.get("execution_count") for output in cell.outputs):
        yield "has an execution count"
    if any(output.output_type == "error" for output in cell.outputs):
        yield "stores an error"
    for output in cell.outputs:
        shown = " ".join([str(output.get("text", "")), *map(_text, output.get("data", {}).items())])
        if outside := _PATHS.search(shown):
            yield f"shows the path {outside[0]}"


def _text(item: tuple[str, Any]) -> str:
    return str(item[1]) if item[0].startswith("text/") else ""


def main(arguments: list[str]) -> int:
    """Run and store notebooks, or check those that are stored."""
    if "--check" in arguments:
        found = [problem for name in names() for problem in find_problems(name)]
        print("\n".join(found) or f"{len(names())} notebooks are clean")
        return 1 if found else 0
    for name in arguments or names():
        with tempfile.TemporaryDirectory(prefix="notebooks-") as folder:
            clone = ProjectCopy(Path(folder))
            started = time.perf_counter()
            notebook = clone.clean(clone.run(read_script(name)))
            print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
            notebook_path(name).write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return main(["--check"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
