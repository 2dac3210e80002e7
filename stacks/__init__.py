"""ZenML stacks as YAML files: `definition` reads them, `registration` registers them, `health_check` checks them.

The files are `stacks/*.yaml`; the command line is in `cli.stack`. Nothing here connects to ZenML at import.
"""
