"""Names of registered models by model type."""

from accidents.models import model_types
from tracking.errors import RegistryError

_PREFIX = "Accident_Prediction_"
_SPELLINGS = {"xgboost": "XGBoost"}


def registered_name(model_type: str) -> str:
    """The registered name of a model type.

    >>> registered_name("random_forest")
    'Accident_Prediction_Random_Forest'
    """
    return _PREFIX + _SPELLINGS.get(model_type, model_type.title())


def registered_names() -> dict[str, str]:
    """Registered names of all model types, by model type."""
    return {model_type: registered_name(model_type) for model_type in model_types()}


def resolve_model_name(text: str) -> str:
    """The registered name for a registered name in any letter case, or for a model type.

    Raises:
        RegistryError: there is no such model; names the existing ones.

    >>> resolve_model_name("Random Forest")
    'Accident_Prediction_Random_Forest'
    """
    normalised = text.strip().lower().replace("-", "_").replace(" ", "_")
    for model_type, name in registered_names().items():
        if normalised in {model_type, name.lower()}:
            return name
    raise RegistryError(f"there is no model '{text}'; there are {', '.join(registered_names().values())}")
