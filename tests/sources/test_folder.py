"""Editions in local folders, in archives and in S3 buckets."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from accidents.columns.specification import Table
from accidents.configuration.source import SourceSettings
from accidents.errors import SourceError
from accidents.sources.edition import Edition, fingerprint
from accidents.sources.resolve import resolve_editions

OLD = ("caracteristiques_{}.csv", "lieux_{}.csv", "vehicules_{}.csv", "usagers_{}.csv")
NEW = ("caract-{}.csv", "lieux-{}.csv", "vehicules-{}.csv", "usagers-{}.csv")


def fill(folder: Path, names: tuple[str, ...], year: int | str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name.format(year)).write_text(f"contents of {name.format(year)}\n")


def find(location: str | Path, years: object = None) -> list[Edition]:
    return resolve_editions(SourceSettings.model_validate({"location": str(location), "years": years}))


@pytest.mark.parametrize(
    "names",
    [
        OLD,
        NEW,
        ("carcteristiques-{}.csv", "lieux-{}.csv", "vehicules-{}.csv", "usagers-{}.csv"),
        ("Caract_{}.csv", "Lieux_{}.csv", "Vehicules_{}.csv", "Usagers_{}.csv"),
        ("CARACTERISTIQUES-{}.CSV", "LIEUX-{}.CSV", "VEHICULES-{}.CSV", "USAGERS-{}.CSV"),
    ],
)
def test_published_spellings(tmp_path: Path, names: tuple[str, ...]) -> None:
    fill(tmp_path, names, 2021)
    (edition,) = find(tmp_path)
    assert edition == Edition(
        2021, {table: str(tmp_path / name.format(2021)) for table, name in zip(Table, names, strict=True)}
    )


def test_several_years_in_one_folder_come_sorted(tmp_path: Path) -> None:
    for year, names in ((2024, NEW), (2005, OLD), (2018, NEW)):
        fill(tmp_path, names, year)
    assert [edition.year for edition in find(tmp_path)] == [2005, 2018, 2024]


def test_one_folder_a_year_gives_the_year_where_names_do_not(tmp_path: Path) -> None:
    fill(tmp_path / "2021", tuple(name.replace("-{}", "") for name in NEW))
    fill(tmp_path / "2022", NEW, 2022)
    assert [edition.year for edition in find(tmp_path)] == [2021, 2022]


def test_files_without_any_year_are_one_edition_without_year(tmp_path: Path) -> None:
    fill(tmp_path, tuple(name.replace("-{}", "") for name in NEW))
    assert [edition.year for edition in find(tmp_path)] == [None]


def test_years_filter_leaves_incomplete_years_alone(tmp_path: Path) -> None:
    fill(tmp_path, NEW[:2], 2013)
    fill(tmp_path, NEW, 2021)
    fill(tmp_path, NEW, 2022)
    assert [edition.year for edition in find(tmp_path, "2021-2022")] == [2021, 2022]


@pytest.mark.parametrize("absent", range(4))
def test_missing_table_is_named_with_folder_and_names_looked_for(tmp_path: Path, absent: int) -> None:
    fill(tmp_path, tuple(name for i, name in enumerate(NEW) if i != absent), 2021)
    table = list(Table)[absent]
    with pytest.raises(SourceError, match=rf"{tmp_path}, year 2021: missing {table} \(looked for {table}-2021\.csv"):
        find(tmp_path)


def test_year_that_is_not_there_is_named(tmp_path: Path) -> None:
    fill(tmp_path, NEW, 2021)
    with pytest.raises(SourceError, match="year 2022"):
        find(tmp_path, 2022)


def test_two_files_for_one_table_are_never_chosen_from(tmp_path: Path) -> None:
    fill(tmp_path, NEW, 2021)
    fill(tmp_path, ("caracteristiques-{}.csv",), 2021)
    with pytest.raises(SourceError, match=r"could be caracteristiques: .*caract-2021\.csv.*Keep one"):
        find(tmp_path)


def test_files_of_other_tables_are_ignored(tmp_path: Path) -> None:
    fill(tmp_path, (*NEW, "vehicules-immatricules-baac-{}.csv", "usagers-{}.csv.bak", "notice-{}.pdf"), 2021)
    (edition,) = find(tmp_path)
    assert [Path(file).name for file in edition.files.values()] == [name.format(2021) for name in NEW]


def test_folder_without_any_file_names_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no BAAC file found.*caracteristiques-2024\.csv"):
        find(tmp_path)


@pytest.mark.parametrize("location", ["nowhere", "/nowhere/at/all"])
def test_folder_that_does_not_exist(location: str) -> None:
    with pytest.raises(SourceError, match=f"{location}: there is no such folder"):
        find(location)


def test_unknown_kind_of_address() -> None:
    with pytest.raises(SourceError, match="gopher://host/folder: the folder cannot be listed"):
        find("gopher://host/folder")


def test_archive_reads_like_a_folder(tmp_path: Path) -> None:
    fill(tmp_path, NEW, 2021)
    with zipfile.ZipFile(tmp_path / "baac.zip", "w") as archive:
        for name in NEW:
            archive.write(tmp_path / name.format(2021), f"baac/{name.format(2021)}")
    editions = find(f"zip://baac::{tmp_path / 'baac.zip'}")
    assert fingerprint(editions) == fingerprint(find(tmp_path))


@pytest.mark.real
def test_real_files_are_recognised(real_baac: Path) -> None:
    (edition,) = find(real_baac, 2024)
    assert Path(edition.files[Table.CARACTERISTIQUES]).name == "caract-2024.csv"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of an empty bucket on a local S3 server, with credentials and address in the usual variables."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir("baac", region_name="eu-west-1")
    yield "s3://baac"
    server.stop()


@pytest.mark.slow
def test_bucket_reads_like_a_folder(bucket: str, tmp_path: Path) -> None:
    fill(tmp_path, NEW, 2021)
    for name in NEW:
        path = tmp_path / name.format(2021)
        fsspec.filesystem("s3").put(str(path), f"{bucket}/raw/2021/{path.name}")
    (edition,) = find(f"{bucket}/raw")
    assert edition.year == 2021
    assert edition.files[Table.LIEUX].startswith(f"{bucket}/raw/2021/")
    assert fingerprint([edition]) == fingerprint(find(tmp_path))
    with pytest.raises(SourceError, match="s3://baac/other: there is no such folder"):
        find(f"{bucket}/other")


def test_archived_files_are_named(tmp_path: Path) -> None:
    for table in ("caract", "lieux", "vehicules"):
        (tmp_path / f"{table}-2024 (1).csv").touch()
    (tmp_path / "usagers-2024.csv.gz").touch()
    with pytest.raises(SourceError, match=r"missing usagers .*Unpack or rename usagers-2024\.csv\.gz"):
        find(tmp_path)
    (tmp_path / "usagers-2024.csv.gz").rename(tmp_path / "usagers-2024.txt")
    (edition,) = find(tmp_path)
    assert edition.year == 2024
