"""Stages of a registered model version, as command line, configuration and registry use them."""

NONE, STAGING, PRODUCTION, ARCHIVED = STAGES = ("None", "Staging", "Production", "Archived")

EXCLUSIVE_STAGES = (STAGING, PRODUCTION)
"""Stages that one version of a model holds at most."""

EXCLUSIVE_STAGE_PATTERN = f"^({'|'.join(EXCLUSIVE_STAGES)})$"
