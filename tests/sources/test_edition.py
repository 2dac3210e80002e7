"""The fingerprint follows the contents and nothing else."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.columns.specification import Table
from accidents.configuration.source import SourceSettings
from accidents.sources import manifest
from accidents.sources.edition import Edition, fingerprint, read_checksums
from accidents.sources.publication import edition_digest


def write(folder: Path, year: int, contents: tuple[bytes, ...], name: str = "{}.csv") -> Edition:
    folder.mkdir(exist_ok=True)
    files = {}
    for table, content in zip(Table, contents, strict=True):
        path = folder / name.format(f"{table}{year}")
        path.write_bytes(content)
        files[table] = str(path)
    return Edition(year, files)


FIRST, SECOND = (b"1", b"2", b"3", b"4"), (b"5", b"6", b"7", b"8")


def test_place_names_and_order_do_not_matter(tmp_path: Path) -> None:
    here = [
        write(tmp_path / "a", 2021, FIRST),
        write(tmp_path / "a", 2022, SECOND),
    ]
    there = [
        write(tmp_path / "b", 2022, SECOND, "x{}.txt"),
        write(tmp_path / "b", 2021, FIRST, "x{}.txt"),
    ]
    assert fingerprint(here) == fingerprint(there)
    assert len(fingerprint(here)) == 64


@settings(deadline=None, max_examples=30)
@given(
    first=st.tuples(*[st.binary(max_size=3)] * 4),
    second=st.tuples(*[st.binary(max_size=3)] * 4),
)
def test_any_difference_in_contents_shows(
    tmp_path_factory: object, first: tuple[bytes, ...], second: tuple[bytes, ...]
) -> None:
    folder = tmp_path_factory.mktemp("editions")  # type: ignore[attr-defined]
    a, b = write(folder / "a", 2021, first), write(folder / "b", 2021, second)
    assert (fingerprint([a]) == fingerprint([b])) == (first == second)


def test_files_that_change_places_between_years_show(tmp_path: Path) -> None:
    straight = [
        write(tmp_path / "a", 2021, FIRST),
        write(tmp_path / "b", 2022, SECOND),
    ]
    crossed = [
        write(tmp_path / "c", 2021, (b"1", b"6", b"3", b"4")),
        write(tmp_path / "d", 2022, (b"5", b"2", b"7", b"8")),
    ]
    assert fingerprint(straight) != fingerprint(crossed)


def test_a_file_is_read_once_for_both_checksums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edition, read = write(tmp_path / "a", 2021, FIRST), list[str]()
    monkeypatch.setattr(manifest, "resolve_editions", lambda *_, **__: [edition])
    monkeypatch.setattr(manifest, "read_checksums", lambda file: read.append(file) or read_checksums(file))
    source = SourceSettings(location=str(tmp_path / "a"), data_folder=tmp_path / "data")
    editions, digest = manifest.fetch_editions(source)
    assert sorted(read) == sorted(edition.files.values())
    assert (editions, digest) == ([edition], fingerprint([edition]))
    assert manifest.recorded_editions(tmp_path / "data", digest) == {"2021": edition_digest(edition)}
