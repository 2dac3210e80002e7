"""ZenML steps, one module each: validate data frames, call the domain, log metadata.

Importing it tells ZenML where the sources of steps lie: a notebook or `python -c` has no main file to look it up by.
"""

from zenml.utils import source_utils

from accidents.configuration.paths import PROJECT_ROOT

source_utils.set_custom_source_root(str(PROJECT_ROOT))
