"""What the digest of a step looks at. All files of the project are held to it in `tests/pipelines/test_digests.py`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from steps import caching

STEP = """
def step():
    from accidents.inner.work import answer
    return answer()
"""
WORK = '''
"""Says how things are."""

def answer():
    """The answer."""
    return 42
'''


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one step that reaches one module of one package."""
    for name, content in {
        "steps/__init__.py": "",
        "steps/one.py": STEP,
        "accidents/__init__.py": "",
        "accidents/inner/__init__.py": "",
        "accidents/inner/work.py": WORK,
        "accidents/inner/tables/codes.csv": "1",
        "accidents/outer/__init__.py": "",
        "accidents/outer/other.py": WORK,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(caching, "ROOT", tmp_path)
    return tmp_path


def digest() -> str:
    """The digest of the step, read anew from the files."""
    for function in (caching._said, caching._imported, caching._meaning):
        function.cache_clear()
    try:
        return caching.code_digest("steps.one")
    finally:
        for function in (caching._said, caching._imported, caching._meaning):
            function.cache_clear()


def reword(root: Path) -> None:
    file = root / "accidents" / "inner" / "work.py"
    file.write_text(
        "# a comment\n\n" + WORK.replace("Says how", "Tells how").replace("The answer", "An answer") + "\n\n"
    )


def write(name: str, content: str) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(content)

    return change


@pytest.mark.parametrize(
    "change",
    [
        reword,
        write("accidents/outer/other.py", "ANSWER = 43"),
        write("accidents/outer/data.json", "{}"),
        write("accidents/inner/__pycache__/work.pyc", "0"),
    ],
)
def test_words_layout_and_what_is_not_reached_do_not_count(small: Path, change: Callable[[Path], object]) -> None:
    before = digest()
    change(small)
    assert digest() == before


@pytest.mark.parametrize(
    "change",
    [
        write("steps/one.py", STEP.replace("()", "(x=1)", 1)),
        write("accidents/inner/work.py", WORK.replace("42", "43")),
        write("accidents/inner/__init__.py", "ANSWER = 42"),
        write("accidents/__init__.py", "ANSWER = 42"),
        write("accidents/inner/new.json", "{}"),
        write("accidents/inner/tables/codes.csv", "2"),
    ],
)
def test_meaning_and_data_of_what_is_reached_count(small: Path, change: Callable[[Path], object]) -> None:
    before = digest()
    change(small)
    assert digest() != before


def test_imports_inside_functions_and_through_other_modules_are_followed() -> None:
    reached = caching.reached("steps.ingestion.ingest")
    assert {"accidents.errors", "accidents.columns.usagers", "accidents.sources.datagouv"} <= reached
    assert not any(name.startswith(("pipelines", "cli", "tests")) for name in reached)


def test_the_cache_policy_names_a_function_that_zenml_can_load() -> None:
    policy = caching.cache_policy("steps.ingestion.ingest", "accidents.models.lightgbm")
    name = policy.cache_func.attribute
    assert getattr(caching, name)() == caching.code_digest("steps.ingestion.ingest", "accidents.models.lightgbm")
    with pytest.raises(AttributeError, match="no attribute"):
        _ = caching.no_such_module
