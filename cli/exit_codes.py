"""Exit codes of every command."""

DONE = 0
FAILED = 1
"""Something failed, is missing, or is refused by a rule."""
USAGE_ERROR = 2
"""The command line or the configuration is wrong."""
INTERRUPTED = 130
