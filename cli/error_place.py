"""Where an error of the disk happened. Imports nothing heavy, and ZenML only for errors of its store."""


def error_place(error: Exception) -> str:
    """The file of an operating system error, or the database of ZenML, whose errors name none."""
    if isinstance(error, OSError) and error.filename:
        return str(error.filename)
    from zenml.config.global_config import GlobalConfiguration

    return f"the ZenML store {GlobalConfiguration().store_configuration.url}"
