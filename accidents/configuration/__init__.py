"""Configuration of the project as pydantic models: one module a section, one YAML file a pipeline in `configs/`."""
