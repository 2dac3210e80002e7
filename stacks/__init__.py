"""ZenML stacks as files: `definition` reads them, `registration` makes ZenML agree with them, `checking` asks them.

The files are `stacks/*.yaml`. What is typed and printed lives in `cli.stack`. Nothing here talks to ZenML at import.
"""
