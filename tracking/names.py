"""Names of registered models, and the model types behind them."""

from accidents.models import model_types
from tracking.errors import RegistryError

_PREFIX = "Accident_Prediction_"
_SPELLED = {"xgboost": "XGBoost"}


def registered_name(model_type: str) -> str:
    """The name under which models of a type are registered, such as `Accident_Prediction_Random_Forest`."""
    return _PREFIX + _SPELLED.get(model_type, model_type.title())


def registered_names() -> dict[str, str]:
    """Every registered name by its model type."""
    return {model_type: registered_name(model_type) for model_type in model_types()}


def resolve_model_name(text: str) -> str:
    """The registered name that somebody means: in any letter case, or the model type alone.

    Raises:
        RegistryError: there is no such model; names those there are.
    """
    wanted = text.strip().lower().replace("-", "_").replace(" ", "_")
    for model_type, name in registered_names().items():
        if wanted in {model_type, name.lower()}:
            return name
    raise RegistryError(f"there is no model '{text}'; there are {', '.join(registered_names().values())}")
