"""ZenML pipelines, one module each; `definition` says how they differ from other ZenML pipelines.

Importing it loads the environment: LightGBM reads the waiting policy of OpenMP when a pipeline imports it.
"""

from accidents.configuration.environment import load_environment

load_environment()
