"""Names of registered models by model type."""

from accidents.configuration.tracking import MODEL_NAME_PREFIX
from accidents.models import model_types
from tracking.errors import RegistryError

_SPELLINGS = {"xgboost": "XGBoost"}


def registered_name(model_type: str, prefix: str = MODEL_NAME_PREFIX) -> str:
    """The registered name of a model type; `prefix` is `registered_model_name` of the configuration.

    >>> registered_name("random_forest")
    'Accident_Prediction_Random_Forest'
    """
    return f"{prefix}_{_SPELLINGS.get(model_type, model_type.title())}"


def registered_names(prefix: str = MODEL_NAME_PREFIX) -> dict[str, str]:
    """Registered names of all model types, by model type."""
    return {model_type: registered_name(model_type, prefix) for model_type in model_types()}


def resolve_model_name(text: str, prefix: str = MODEL_NAME_PREFIX) -> str:
    """The registered name for a registered name in any letter case, or for a model type.

    Raises:
        RegistryError: there is no such model; names the existing ones.

    >>> resolve_model_name("Random Forest")
    'Accident_Prediction_Random_Forest'
    """
    normalised = text.strip().lower().replace("-", "_").replace(" ", "_")
    names = registered_names(prefix)
    for model_type, name in names.items():
        if normalised in {model_type, name.lower()}:
            return name
    raise RegistryError(f"there is no model '{text}'; there are {', '.join(names.values())}")
