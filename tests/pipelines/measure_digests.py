"""Run in a copy of the project: the digests of its steps after each of the changes named on the command line.

A change is the path of a file whose meaning changes; "." changes comments, docstrings and layout of every module, and
"" nothing. Every measurement has a process of its own, forked from one that has loaded the steps and has never read a
digest, so that none knows what another has seen. What a source text says is known beforehand; which text a module has
is not. Writes one JSON object: for each change the digest of every step.
"""

import gc
import json
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

from zenml.utils import source_utils

from accidents.configuration.loading import load_configuration
from pipelines.training import training
from steps import caching
from steps.evaluation.evaluate_model import evaluate_model

PACKAGES = ("accidents", "materializers", "steps", "tracking")


def policies() -> dict[str, Callable[[], str]]:
    """The function in the cache policy of every step, as ZenML loads it."""
    training.prepare(configuration=load_configuration(), fingerprint="0", store="0")
    steps = {name: invocation.step for name, invocation in training.invocations.items()}
    steps["evaluate_model"] = evaluate_model
    return {name: source_utils.load(step.configuration.cache_policy.cache_func) for name, step in steps.items()}


def digests(change: str) -> tuple[str, dict[str, str]]:
    """Change the copy, ask for the digest of every step, and put back what was there."""
    before = {file: file.read_bytes() for file in affected(change)}
    alter = reworded if change == "." else mutated
    try:
        for file, content in before.items():
            file.write_bytes(alter(file, content))
        return change, {name: digest() for name, digest in POLICIES.items()}
    finally:
        for file, content in before.items():
            file.write_bytes(content)


def affected(change: str) -> list[Path]:
    if change == ".":
        return [file for package in PACKAGES for file in Path(package).rglob("*.py")]
    return [Path(change)] if change else []


def mutated(file: Path, content: bytes) -> bytes:
    """One more constant in a module, one more line in a data file."""
    return content + (b"\nMUTATION = 1\n" if file.suffix == ".py" else b"\n")


def reworded(file: Path, content: bytes) -> bytes:
    """The same module with a comment, another docstring and other layout."""
    return b"# A comment.\n\n" + content.replace(b'"""', b'"""In other words: ', 1) + b"\n\n# The end.\n"


if __name__ == "__main__":
    POLICIES = policies()
    for module in affected("."):
        caching.read(module.read_text(encoding="utf-8"))
    assert not any(function.cache_info().currsize for function in (caching._said, caching._imported, caching._meaning))
    gc.disable()
    with get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        found = dict(pool.imap(digests, sys.argv[1:], chunksize=1))
    print(json.dumps(found))
