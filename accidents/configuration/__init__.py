"""The configuration model of the project: one module a section, one YAML file a pipeline in `configs/`."""
