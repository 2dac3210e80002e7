"""What the API of data.gouv.fr says of the data set: the models of its answer, and the choice of a year's files."""

from pydantic import BaseModel, Field, ValidationError

from accidents.columns.specification import Table
from accidents.errors import SourceError
from accidents.sources.download import RemoteFile
from accidents.sources.file_names import expected_file_names, parse_file_name

_ALGORITHMS = ("sha1", "sha256", "md5")


class Checksum(BaseModel):
    """A published checksum."""

    type: str
    value: str


class Resource(BaseModel):
    """A published file; the many other fields of the API are left aside."""

    title: str | None = None
    url: str
    filesize: int | None = None
    checksum: Checksum | None = None
    last_modified: str | None = None


class Catalogue(BaseModel):
    """The data set: all editions, documents and neighbouring tables."""

    resources: list[Resource] = Field(min_length=1)


def parse_catalogue(content: bytes, place: str) -> Catalogue:
    """Read the answer of the API.

    Raises:
        SourceError: It is not the description of a data set; names the first fault and `place`.
    """
    try:
        return Catalogue.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "answer"
        raise SourceError(
            f"catalogue.json: {place} is not the description of a data set: {where}: {fault['msg']}. "
            "Check source.datagouv.catalogue, or download the four files by hand and pass their folder with --source."
        ) from error


def published_files(catalogue: Catalogue, year: int) -> dict[Table, RemoteFile]:
    """The four files of a year among the resources of the data set.

    A resource is recognised by its title, or else by the file name in its address. Of several resources for one table
    the one that was changed last counts.

    Raises:
        SourceError: A table of that year is not published.
    """
    found: dict[Table, Resource] = {}
    for resource in sorted(catalogue.resources, key=lambda resource: resource.last_modified or ""):
        named = parse_file_name(resource.title or "") or parse_file_name(resource.url.rpartition("/")[2])
        if named is not None and named[1] == year:
            found[named[0]] = resource
    missing = [table for table in Table if table not in found]
    if missing:
        names = "; ".join(f"{table} (looked for {expected_file_names(table, year)})" for table in missing)
        raise SourceError(
            f"{year}: the data set on data.gouv.fr does not list {names}. Choose other years with --years, "
            "or pass a folder that holds the files with --source."
        )
    return {table: _remote(table, year, found[table]) for table in Table}


def _remote(table: Table, year: int, resource: Resource) -> RemoteFile:
    published = resource.checksum
    usable = published is not None and published.type in _ALGORITHMS
    return RemoteFile(
        name=f"{table}-{year}.csv",
        url=resource.url,
        size=resource.filesize,
        checksum=f"{published.type}:{published.value.lower()}" if published is not None and usable else None,
    )
