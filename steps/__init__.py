"""ZenML steps, one module each: validate data frames, call the domain, log metadata.

Importing it prepares a process in which steps run, also one that an orchestrator starts elsewhere: it loads the
environment, and tells ZenML where the sources of steps lie, as a notebook or `python -c` has no main file.
"""

from zenml.utils import source_utils

from accidents.configuration.environment import load_environment
from accidents.configuration.paths import PROJECT_ROOT

load_environment()
source_utils.set_custom_source_root(str(PROJECT_ROOT))
