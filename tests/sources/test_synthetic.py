"""Synthetic editions: generated once, whole or not at all, and found again."""

from pathlib import Path
from typing import Any

import pytest

import accidents.sample.writer
from accidents.configuration.source import SampleSettings, SourceSettings
from accidents.sources.edition import fingerprint
from accidents.sources.resolve import resolve_editions


def small(folder: Path, *, years: tuple[int, ...] | None = None, **sample: Any) -> SourceSettings:
    section = SampleSettings.model_validate({"accidents": 50, **sample})
    return SourceSettings(years=years, data_folder=folder, sample=section)


def test_the_sample_is_generated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = resolve_editions(small(tmp_path))
    assert [edition.year for edition in first] == [2024]
    monkeypatch.delattr(accidents.sample.writer, "write_sample")
    assert resolve_editions(small(tmp_path)) == first


def test_same_settings_give_the_same_contents_anywhere(tmp_path: Path) -> None:
    here, there = resolve_editions(small(tmp_path / "a")), resolve_editions(small(tmp_path / "b"))
    assert fingerprint(here) == fingerprint(there)


def test_other_settings_give_other_contents(tmp_path: Path) -> None:
    plain = fingerprint(resolve_editions(small(tmp_path)))
    others: list[dict[str, Any]] = [{"seed": 1}, {"accidents": 51}, {"year": 2023}]
    assert plain not in {fingerprint(resolve_editions(small(tmp_path, **other))) for other in others}


def test_several_years_are_one_edition_each(tmp_path: Path) -> None:
    assert [edition.year for edition in resolve_editions(small(tmp_path, years=(2022, 2012)))] == [2012, 2022]


def test_synthetic_files_are_called_so(tmp_path: Path) -> None:
    (edition,) = resolve_editions(small(tmp_path))
    assert all("synthetic" in file for file in edition.files.values())


def test_interrupted_generation_leaves_no_edition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sample = accidents.sample.writer.write_sample

    def interrupted(folder: Path, **arguments: Any) -> None:
        write_sample(folder, **arguments)
        (folder / f"usagers-{arguments['year']}.csv").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(accidents.sample.writer, "write_sample", interrupted)
    with pytest.raises(KeyboardInterrupt):
        resolve_editions(small(tmp_path))
    assert not list(tmp_path.rglob("synthetic-*"))
    monkeypatch.undo()
    resolve_editions(small(tmp_path))
    assert not list(tmp_path.rglob("tmp*"))
