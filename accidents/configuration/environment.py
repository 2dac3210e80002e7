"""Environment of the process: `.env`, defaults of libraries, waiting policy of OpenMP. Imports nothing heavy."""

import os
import sys

from accidents.configuration.paths import PROJECT_ROOT

WAIT_POLICY = "OMP_WAIT_POLICY"
"""Variable that OpenMP reads when LightGBM is imported."""

DEFAULTS = {
    # On a busy machine threads that wait by spinning make boosters many times slower.
    WAIT_POLICY: "PASSIVE",
    "ZENML_ANALYTICS_OPT_IN": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "SAGEMAKER_SUPPRESS_V2_WARNING": "1",  # ZenML needs version 2
    "ZENML_LOGGING_COLORS_DISABLED": "true",
}
"""Variables of libraries, with the values that they have where they are not set."""

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")

_imported_before = False


def load_environment() -> None:
    """Load `.env`, if there is one, and then the defaults; variables that are set keep their values.

    Services of this machine are reached without a proxy; docs/environment.md lists the variables that have an effect.
    """
    global _imported_before  # noqa: PLW0603  # a fact about this process
    from dotenv import load_dotenv

    load_dotenv(PROJECT_ROOT / ".env", override=False)
    _imported_before |= "lightgbm" in sys.modules and WAIT_POLICY not in os.environ
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    _bypass_proxy()


def wait_policy_is_late() -> bool:
    """Whether LightGBM was imported before `load_environment` set the waiting policy, which then has no effect."""
    return _imported_before


def _bypass_proxy() -> None:
    """Reach services of this machine, such as a deployed model, without the HTTP proxy of the environment."""
    bypassed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host.strip() for host in bypassed.split(",") if host.strip()]
    if "*" not in hosts:
        hosts += [host for host in _LOCAL_HOSTS if host not in hosts]
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(hosts)
