"""Hyperparameters of small models, for whatever model types there are."""

from typing import Any

from accidents.models import model_class, model_types


def applicable(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that are hyperparameters of a model type."""
    fields = model_class(name).PARAMETERS.model_fields
    return {key: value for key, value in values.items() if key in fields}


def by_type(**values: Any) -> dict[str, dict[str, Any]]:
    """The applicable values of every model type."""
    return {name: applicable(name, values) for name in model_types()}
