"""Count lines of code: lines of Python that hold neither blanks nor comments nor docstrings alone.

    python -m scripts.count_lines [--against REVISION] [FOLDER ...]

With `--against`, the same folders of that git revision are counted too, with the difference.
"""

import argparse
import ast
import io
import subprocess
import sys
import tarfile
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("accidents", "cli", "materializers", "pipelines", "run.py", "serving", "stacks", "steps", "tracking")

_LAYOUT = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def lines_of_code(source: str) -> int:
    r"""Number of lines with code.

    A string that is a statement of its own is a docstring, below an attribute as below a `def`.

    Example:
        >>> lines_of_code("LIMIT = 3  # tries\n'At most.'\n\nprint(\n    LIMIT\n)")
        4
    """
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    code = {line for token in tokens if token.type not in _LAYOUT for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            code.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return sum(bool(line.strip()) for number, line in enumerate(source.splitlines(), start=1) if number in code)


def work_tree(folders: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Path and text of every Python file of the folders, as they are on disk."""
    for path in (ROOT / folder for folder in folders):
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")


def revision(name: str, folders: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Path and text of every Python file of the folders in a git revision."""
    git = ("git", "-C", str(ROOT))
    top = subprocess.run([*git, "ls-tree", "--name-only", name], check=True, capture_output=True, text=True)  # noqa: S603 - own arguments
    present = [folder for folder in folders if folder in top.stdout.splitlines()]
    archive = subprocess.run([*git, "archive", name, *present], check=True, capture_output=True)  # noqa: S603 - own arguments
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        for member in files:
            if member.name.endswith(".py") and (file := files.extractfile(member)):
                yield member.name, file.read().decode()


def by_folder(files: Iterable[tuple[str, str]]) -> Counter[str]:
    """Lines of code of each folder at the top of the project."""
    count: Counter[str] = Counter()
    for name, text in files:
        count[name.partition("/")[0]] += lines_of_code(text)
    return count


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="*", default=PACKAGES, metavar="FOLDER", help="default: all packages")
    parser.add_argument("--against", metavar="REVISION", help="git revision to compare with")
    arguments = parser.parse_args()
    counts = {"now": by_folder(work_tree(arguments.folders))}
    if arguments.against:
        counts = {arguments.against: by_folder(revision(arguments.against, arguments.folders)), **counts}
    rows = [(folder, *(count[folder] for count in counts.values())) for folder in arguments.folders]
    rows.append(("together", *(count.total() for count in counts.values())))
    heads = [*counts, "difference"] if arguments.against else [*counts]
    sys.stdout.write(f"{'lines of code':<16}" + "".join(f"{head:>14}" for head in heads) + "\n")
    for folder, *numbers in rows:
        change = f"{numbers[-1] - numbers[0]:>+14,}" if arguments.against else ""
        sys.stdout.write(f"{folder:<16}" + "".join(f"{number:>14,}" for number in numbers) + change + "\n")


if __name__ == "__main__":
    main()
