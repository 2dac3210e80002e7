"""Credentials removed from addresses before these are logged, printed or put into an error message."""

import re

# In addresses of Azure storage (abfs://container@account/...) a container stands before the @.
_USER_INFO = re.compile(r"(?<!abfs)(?<!abfss)://[^/?#\s]*@")
_PASSWORD = re.compile(r"://[^/\s@]*:[^/\s@]*@")
_SECRET_PARAMETER = re.compile(r"([?&][^=&\s]*(?:password|token|secret)[^=&\s]*=)[^&\s]*", re.IGNORECASE)


def redact_credentials(text: str) -> str:
    """Remove user names and passwords from every address in a text.

    Args:
        text: an address, or a text with addresses in it.

    Returns:
        The text without `user:password@`, and with `…` for the values of secret query parameters.

    >>> redact_credentials("https://ann:hush@host:5000/mlflow answers 401")
    'https://host:5000/mlflow answers 401'
    >>> redact_credentials("postgresql://host/db?user=ann&password=hush")
    'postgresql://host/db?user=ann&password=…'
    >>> redact_credentials("sqlite:////home/ann@sea/mlflow.db")
    'sqlite:////home/ann@sea/mlflow.db'
    """
    return _SECRET_PARAMETER.sub(r"\1…", _USER_INFO.sub("://", text))


def contains_password(text: str) -> bool:
    """Whether an address in a text has the form `scheme://user:password@host`."""
    return bool(_PASSWORD.search(text))
