"""Pydantic models of request bodies, derived from the column specification: descriptions, codes, ranges, examples.

They are for the OpenAPI schema and do not validate: `accidents.requests` parses accidents, and also accepts numbers
written as strings.
"""

import json
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from accidents.columns import MISSING, Availability, Column, ColumnKind
from accidents.configuration.paths import PROJECT_ROOT
from accidents.requests.flat import COUNT_FIELDS, FLAT_FIELDS, SYNONYMS
from accidents.requests.rows import COLUMNS, MAX_ROWS, RequestPart
from serving.lookups.geocoder import MAX_PLACES

_EXAMPLES = PROJECT_ROOT / "examples"
_MAX_TEXT_LENGTH = 500
_EXAMPLE_ID = "019314c6-0000-7000-8000-000000000000"
_MODEL_NAMES = {
    RequestPart.ACCIDENT: "AccidentFacts",
    RequestPart.ROAD: "Road",
    RequestPart.VEHICLES: "Vehicle",
    RequestPart.PEOPLE: "Person",
}
_EXAMPLE_VALUES = {
    "Num_Acc": 202400000001,
    "hrmn": "17:15",
    "dep": "33",
    "com": "33063",
    "an": 2024,
    "lat": 44.84,
    "long": -0.58,
    "voie": "D936",
    "num_veh": "A01",
    "an_nais": 1961,
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", title=None)


class _FlatBody(_Body):
    model_config = ConfigDict(json_schema_extra={"minProperties": 1})


@cache
def accident_model() -> type[BaseModel]:
    """Model of an accident in the nested form."""
    accident, road, vehicle, person = map(
        _part_model, (RequestPart.ACCIDENT, RequestPart.ROAD, RequestPart.VEHICLES, RequestPart.PEOPLE)
    )
    return create_model(
        "Accident",
        __base__=_Body,
        __doc__="An accident with its road, vehicles and people, under the column names of BAAC.",
        accident=(accident, Field(default_factory=accident, description="the accident")),
        road=(road, Field(default_factory=road, description="the main place")),
        vehicles=(_list_of(vehicle), Field(min_length=1, max_length=MAX_ROWS, description="all vehicles")),
        people=(_list_of(person), Field(min_length=1, max_length=MAX_ROWS, description="all people")),
    )


@cache
def flat_model() -> type[BaseModel]:
    """Model of an accident in the flat form."""
    fields: dict[str, Any] = {name: _field(column) for name, column in (flat_columns() | SYNONYMS).items()}
    doc = "The flat form: one person, their vehicle, the road and the accident."
    return create_model("FlatAccident", __base__=_FlatBody, __doc__=doc, **fields)


@cache
def any_accident() -> Any:
    """Union of both forms."""
    return accident_model() | flat_model()


@cache
def batch_model() -> type[BaseModel]:
    """Model of a batch of accidents."""
    return create_model(
        "Batch",
        __base__=_Body,
        __doc__="Accidents in either form, up to the configured number.",
        accidents=(_list_of(any_accident()), Field(min_length=1)),
    )


@cache
def labelled_model() -> type[BaseModel]:
    """Model of labelled accidents."""
    return create_model(
        "LabelledAccidents",
        __base__=_Body,
        __doc__="Accidents in either form with their labels.",
        accidents=(_list_of(any_accident()), Field(min_length=1)),
        priority=(list[Literal[0, 1]], Field(min_length=1, description="1: somebody was killed or hospitalised")),
        reference=(
            Annotated[_list_of(any_accident()), Field(min_length=1)] | None,
            Field(None, description="accidents to measure the drift of the others against"),
        ),
    )


def _reject_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be 0 or 1")
    return value


class DeriveQuery(BaseModel):
    """Query parameters of all predictions."""

    derive: bool = Field(True, description="derive what follows from other inputs, where the service is configured to")


class PredictQuery(DeriveQuery):
    """Query parameters of `/v1/predict`."""

    reasons: int = Field(0, ge=0, le=20, description="number of the strongest reasons to return")
    ask: int = Field(0, ge=0, le=20, description="number of unknown facts most worth asking for to return")


class Address(BaseModel):
    """An address to look for."""

    model_config = ConfigDict(extra="forbid", strict=True)
    address: str = Field(min_length=3, max_length=200, examples=["8 boulevard du Port, 95000 Cergy"])
    limit: int = Field(5, ge=1, le=MAX_PLACES, description="greatest number of places")


class Feedback(BaseModel):
    """Outcome of an accident that was predicted."""

    model_config = ConfigDict(extra="forbid", strict=True)
    prediction_id: str = Field(description="from the response of the prediction", max_length=64, examples=[_EXAMPLE_ID])
    priority: Annotated[Literal[0, 1], BeforeValidator(_reject_bool)] = Field(
        description="1: somebody was killed or hospitalised, 0: nobody was"
    )


def flat_columns() -> dict[str, Column]:
    """The column of each field of the flat form."""
    columns = {
        name: column for part in reversed(RequestPart) for name, column in COLUMNS[part].items() if name in FLAT_FIELDS
    }
    return dict(sorted((columns | COUNT_FIELDS).items()))


def examples() -> dict[str, Any]:
    """The examples of the project as OpenAPI example objects."""
    return {
        file.stem: {"summary": file.stem.replace("_", " "), "value": json.loads(file.read_text(encoding="utf-8"))}
        for file in sorted(_EXAMPLES.glob("*.json"))
    }


def column_details(column: Column) -> dict[str, Any]:
    """Content of a `responses.InputFeature` without `used`."""
    letters = {code: letter for letter, code in column.letter_codes.items()}
    return {
        "name": column.name,
        "meaning": column.meaning,
        "kind": "key" if column.kind is ColumnKind.ID else column.kind.name.lower(),  # its name in the API
        "known": column.availability.label,
        "codes": {str(letters.get(code, code)): words for code, words in column.codes.items()},
        "minimum": column.minimum,
        "maximum": column.maximum,
        "unit": column.unit,
        "pattern": column.pattern,
    }


def _list_of(model: Any) -> Any:
    return list[model]


def _part_model(part: RequestPart) -> Any:
    fields: dict[str, Any] = {
        column.name: _field(column)
        for name, column in COLUMNS[part].items()
        if name == column.name and column.availability is not Availability.AFTER
    }
    doc = f"Columns of {part.value}; unknown values are left out."
    return create_model(_MODEL_NAMES[part], __base__=_Body, __doc__=doc, **fields)


def _field(column: Column) -> Any:
    """Type and description of an optional field."""
    example = _EXAMPLE_VALUES.get(column.name, next(iter(column.codes), None))
    description = (
        f"{column.meaning}; {column.describe_allowed_values()}" if column.codes or column.unit else column.meaning
    )
    field = Field(None, description=description, examples=None if example is None else [example])
    return Annotated[_type(column) | None, field], None


def _type(column: Column) -> Any:
    match column.kind:
        case ColumnKind.CODE:
            letters = {code: letter for letter, code in column.letter_codes.items()}
            missing = (MISSING, 0) if column.zero_is_missing else (MISSING,)
            allowed = [letters.get(code, code) for code in column.codes]
            return Literal[tuple(dict.fromkeys([*allowed, *missing]))]
        case ColumnKind.TIME:
            return Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$")]
        case ColumnKind.TEXT if column.pattern:
            return Annotated[str, Field(pattern=f"^({column.pattern})?$")]
        case ColumnKind.TEXT:
            return Annotated[str, Field(max_length=_MAX_TEXT_LENGTH)]
    low, high = column.bounds
    number = float if column.kind is ColumnKind.NUMBER else int
    return Annotated[number, Field(ge=number(low), le=number(high))] | Literal[MISSING, ""]
