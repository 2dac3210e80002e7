"""Notebooks run in a copy of the project, and stored small, clean and beside the script that they are paired with.

python -m scripts.notebooks [NAME ...]  run the scripts notebooks/*.py and store them with their outputs as *.ipynb
python -m scripts.notebooks --check     fail where a stored notebook is not its script, or holds what it should not

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
LARGEST = 700_000
"""Bytes of a stored notebook."""

_COPIED = ("accidents", "benchmarks", "cli", "configs", "examples", "materializers", "notebooks", "pipelines", "stacks")
_COPIED_TOO = ("serving", "steps", "tracking")
_FOREIGN = ("MLFLOW_TRACKING_URI", "DAGSHUB_REPO", "ZENML_ACTIVE_STACK_ID", "PYTHONHASHSEED")
_METADATA = {
    "jupytext": {"formats": "ipynb,py:percent"},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_PATHS = re.compile(r"(?<![\w.:/~])/(?:home|root|tmp|work|Users|usr|var|private|opt|mnt)/[^\s\"'<>]*")
_STORE = r"stores/[0-9a-f]{8}-[0-9a-f-]*…?"
"""The folder of ZenML's artifacts: another one in every copy, cut off where a table is narrow."""

_OWN = re.compile(r"^\s*(?:def|class|async def) |\blambda\b", re.MULTILINE)


class Clone:
    """A copy of the project with a ZenML world of its own, in which notebooks run and leave their files."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        for name in (*_COPIED, *_COPIED_TOO):
            ignored = shutil.ignore_patterns(
                ".ipynb_checkpoints"
            )  # compiled loops come along, as `make install` leaves them
            shutil.copytree(PROJECT / name, self.project / name, ignore=ignored)
        shutil.copy(PROJECT / "run.py", self.project)
        kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        self.environment = kept | {
            "ZENML_CONFIG_PATH": str(folder / "config"),
            "ZENML_LOCAL_STORES_PATH": str(folder / "stores"),
            "PYTHONPATH": str(self.project),
            "COLUMNS": "110",
        }

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

    def cleaned(self, notebook: Any) -> Any:
        """A notebook that has run, without what varies or tells of this machine."""
        notebook.metadata = nbformat.from_dict(_METADATA)
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number:02}"
            tags = cell.metadata.get("tags")
            cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
            if cell.cell_type == "code":
                cell.execution_count = None
                cell.outputs = [self._output(output) for output in _joined(cell.outputs)]
        return notebook

    def _output(self, output: Any) -> Any:
        if "execution_count" in output:
            output.execution_count = None
        if output.output_type == "stream":
            output.text = here(output.text, self.project)
        elif "data" in output:
            for kind, content in output.data.items():
                if kind.startswith("text/") and isinstance(content, str):
                    output.data[kind] = here(content, self.project)
            output.metadata = nbformat.from_dict({})
        return output


def here(text: str, project: Path) -> str:
    """Text with paths in a project relative to it, and those beside it named by what they are."""
    for long, short in (
        (re.escape(f"{project}/"), ""),
        (re.escape(str(project)), "."),
        (re.escape(str(project.parent)), "…"),
        (_STORE, "stores/…"),
    ):
        text = _in_place(text, long, short)
    return text


def _in_place(text: str, long: str, short: str) -> str:
    """Text with everything that matches `long` replaced; in a table the frame stays where it is."""
    found = 1
    while found:
        text, found = re.subn(
            rf"({long})([^│\n]*)(│?)",
            lambda match: short + match[2] + (" " * (len(match[1]) - len(short)) if match[3] else "") + match[3],
            text,
        )
    return text


def _joined(outputs: list[Any]) -> Iterator[Any]:
    """Outputs with everything that was written to one stream in succession in one piece."""
    last: Any = None
    for output in outputs:
        if not output.get("text") and not output.get("data", {}).get("text/plain", "nothing").strip():
            continue  # a progress bar that has gone
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
            continue
        if last is not None:
            yield last
        last = output
    if last is not None:
        yield last


def script(name: str) -> Path:
    """The script of a notebook."""
    return FOLDER / f"{name}.py"


def stored(name: str) -> Path:
    """The stored notebook of a name."""
    return FOLDER / f"{name}.ipynb"


def names() -> list[str]:
    """All notebooks, in order."""
    return sorted(path.stem for path in FOLDER.glob("[0-9]*.py"))


def read(name: str) -> Any:
    """The notebook that a script stands for, without outputs."""
    return jupytext.read(script(name))


def faults(name: str) -> list[str]:
    """What is wrong with a stored notebook; each in a sentence."""
    path = stored(name)
    if not path.is_file():
        return [f"{name}: is not stored; run python -m scripts.notebooks {name}"]
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    found = []
    if _sources(notebook) != _sources(read(name)):
        found.append("differs from its script")
    if len(text) > LARGEST:
        found.append(f"has {len(text):,} bytes, more than {LARGEST:,}")
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            found += [f"cell {number} {fault}" for fault in _faults_of(cell)]
    return [f"{name}: {fault}" for fault in found]


def _sources(notebook: Any) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def _faults_of(cell: Any) -> Iterator[str]:
    if _OWN.search(cell.source):
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
        found = [fault for name in names() for fault in faults(name)]
        print("\n".join(found) or f"{len(names())} notebooks are clean")
        return 1 if found else 0
    for name in arguments or names():
        with tempfile.TemporaryDirectory(prefix="notebooks-") as folder:
            clone = Clone(Path(folder))
            started = time.perf_counter()
            notebook = clone.cleaned(clone.run(read(name)))
            print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
            stored(name).write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return main(["--check"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
