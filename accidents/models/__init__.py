"""Model types: every public module of this package except `base` is one, named by its file.

A new type is one new file with a class `Classifier`, a subclass of `base.Model`. Types are listed without importing
them.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accidents.models.base import Model

_DISPLAY_NAMES = {"lightgbm": "LightGBM", "xgboost": "XGBoost"}  # where capitals differ from those of a title


def model_types() -> tuple[str, ...]:
    """Names of all model types in alphabetical order, from the files of the package."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in names if name != "base" and not name.startswith("_")))


def display_name(name: str) -> str:
    """Return the name of a model type for users, such as `Random Forest`."""
    return _DISPLAY_NAMES.get(name, name.replace("_", " ").title())


def model_class(name: str) -> type[Model[Any]]:
    """The class of the model type `name`; its module is imported now.

    Raises:
        ValueError: there is no such type; the message lists the existing ones.
    """
    if name not in model_types():
        raise ValueError(f"there is no model type '{name}'; the types are {', '.join(model_types())}")
    return importlib.import_module(f"{__name__}.{name}").Classifier
