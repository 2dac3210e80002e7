"""Lines of code without blanks, comments and docstrings."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.count_lines import PACKAGES, by_folder, lines_of_code, work_tree

MODULE = '''"""Module.

Two paragraphs.
"""

LIMIT = 3  # tries
"""Documented."""


class Some:
    """Class."""

    # why
    def method(self) -> str:
        """Method."""
        return """text

        of four lines
        """
'''


def test_blanks_comments_and_docstrings_do_not_count() -> None:
    assert lines_of_code(MODULE) == 6
    assert lines_of_code("") == 0
    assert lines_of_code("f(\n    1,\n\n    # why\n    2,\n)\n") == 4


@pytest.mark.slow
def test_every_package_is_counted() -> None:
    count = by_folder(work_tree(PACKAGES))
    assert {*count} == {*PACKAGES}
    assert min(count.values()) > 0


@pytest.mark.slow
def test_a_revision_is_counted_in_the_same_way(project: Path) -> None:
    if not (project / ".git").exists():
        pytest.skip("needs a clone")
    command = [sys.executable, "-m", "scripts.count_lines", "--against", "HEAD", "stacks", "run.py"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert rows.keys() == {"lines", "stacks", "run.py", "together"}
    for name in ("stacks", "run.py", "together"):
        before, now, difference = (int(number.replace(",", "")) for number in rows[name])
        assert difference == now - before
        assert before > 0
