"""The catalogue of the data set in the API of data.gouv.fr: its pydantic models, and the files of a year."""

from pydantic import BaseModel, Field, ValidationError

from accidents.columns.specification import Table
from accidents.errors import SourceError
from accidents.sources.download import RemoteFile
from accidents.sources.file_names import missing_tables, parse_file_name

_ALGORITHMS = ("sha1", "sha256", "md5")


class Checksum(BaseModel):
    """A published checksum."""

    type: str
    value: str


class Resource(BaseModel):
    """A published file; other fields of the API are ignored."""

    title: str | None = None
    url: str
    filesize: int | None = None
    checksum: Checksum | None = None
    last_modified: str | None = None


class Catalogue(BaseModel):
    """The data set: all editions, documents and related tables."""

    resources: list[Resource] = Field(min_length=1)


def parse_catalogue(content: bytes, origin: str) -> Catalogue:
    """Parse a response of the API.

    Args:
        content: the body of the response.
        origin: its URL or file, for error messages.

    Raises:
        SourceError: it is not the description of a data set; names the first fault and `origin`.
    """
    try:
        return Catalogue.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "answer"
        raise SourceError(
            f"catalogue.json: {origin} is not the description of a data set: {where}: {fault['msg']}. "
            "Check source.datagouv.catalogue, or download the four files by hand and pass their folder with --source."
        ) from error


def published_files(catalogue: Catalogue, year: int) -> dict[Table, RemoteFile]:
    """Find the four files of a year in the catalogue.

    A resource is matched by its title, or else by the file name in its URL. Of several resources for one table the last
    modified one is taken.

    Raises:
        SourceError: a table of that year is not published.
    """
    resources: dict[Table, Resource] = {}
    for resource in sorted(catalogue.resources, key=lambda resource: resource.last_modified or ""):
        parsed = parse_file_name(resource.title or "") or parse_file_name(resource.url.rpartition("/")[2])
        if parsed is not None and parsed[1] == year:
            resources[parsed[0]] = resource
    if names := missing_tables(resources, year):
        raise SourceError(
            f"{year}: the data set on data.gouv.fr does not list {names}. Choose other years with --years, "
            "or pass a folder that holds the files with --source."
        )
    return {table: _remote_file(table, year, resources[table]) for table in Table}


def _remote_file(table: Table, year: int, resource: Resource) -> RemoteFile:
    published = resource.checksum
    usable = published is not None and published.type in _ALGORITHMS
    checksum = f"{published.type}:{published.value.lower()}" if published is not None and usable else None
    return RemoteFile(f"{table}-{year}.csv", resource.url, resource.filesize, checksum)
