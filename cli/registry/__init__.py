"""`python run.py registry ...`: registered models, their versions and stages. The work is done in `tracking`.

Imports nothing heavy: `--help` must answer at once.
"""

from typing import Any

import click

from cli.options import Group, config_option, debug_option
from cli.registry import approvals, evaluation, queries, transitions


@click.group(cls=Group, epilog="Exit codes: 0 done, 1 failed or refused by a rule, 2 wrong command line")
@config_option
@click.option("--stack", metavar="NAME", help="ZenML stack for this command alone")
@debug_option
@click.pass_context
def registry(context: click.Context, **values: Any) -> None:
    """Registered models: their versions, stages, promotion and rollback."""
    context.obj = values


for command in (
    queries.list_models,
    queries.list_versions,
    queries.get_model,
    queries.history,
    transitions.transition,
    transitions.promote,
    transitions.archive,
    transitions.rollback,
    transitions.publish,
    transitions.delete_version,
    transitions.delete_model,
    transitions.prune,
    transitions.check,
    transitions.convert,
    evaluation.compare,
    evaluation.evaluate_promotion,
    evaluation.auto_promote,
    approvals.retrainings,
    approvals.approve,
    approvals.reject,
):
    registry.add_command(command)
registry.add_command(evaluation.compare, "compare-models")  # its classic name
