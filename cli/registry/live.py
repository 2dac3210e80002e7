"""`registry compare --live`: the model that answers and its shadow model, by their answers for live requests."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from accidents.errors import DataError
from cli.decorators import record_database
from cli.registry.context import RegistryContext

if TYPE_CHECKING:
    from accidents.promotion.live_comparison import LiveComparison
    from serving.records.shadow_answers import AnswerPair

_METRICS = {"brier": "Brier score", "roc_auc": "ROC-AUC", "f1": "F1", "ece": "ECE"}


def compare_live_answers(context: RegistryContext, model_name: str | None, days: float | None) -> list[dict[str, Any]]:
    """Compare each pair of an answering and a shadow model of the prediction log, and print how they differ.

    Args:
        context: configuration and printing.
        model_name: registered name or type of the answering model; None for all.
        days: only predictions of this many days; None for all.

    Returns:
        One comparison a pair, ready for JSON.

    Raises:
        DataError: no prediction has a shadow answer.
        RecordsError: there is no database, or it does not answer.
    """
    from accidents.promotion.live_comparison import compare_live
    from serving.records.shadow_answers import read_answer_pairs

    name = model_name and context.registry.resolve_name(model_name)
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    pairs: dict[tuple[str, str], list[AnswerPair]] = defaultdict(list)
    with record_database(context.configuration.serving.records, create=False) as database:
        for pair in read_answer_pairs(database.engine, since):
            if name is None or pair.answering.startswith(f"{name} "):
                pairs[pair.answering, pair.shadow].append(pair)
    if not pairs:
        raise DataError("no logged prediction has the answer of a shadow model: python run.py --serve --shadow NAME")
    results = []
    for (answering, shadow), answers in pairs.items():
        probabilities = np.array([one.probabilities for one in answers])
        thresholds = np.array([one.thresholds for one in answers])
        outcomes = np.array([np.nan if one.outcome is None else one.outcome for one in answers])
        compared = compare_live(
            probabilities[:, 0],
            probabilities[:, 1],
            (thresholds[:, 0], thresholds[:, 1]),
            outcomes,
            context.configuration.evaluation,
        )
        results.append({"answering": answering, "shadow": shadow, **compared.as_dict()})
        for line in _lines(answering, shadow, compared):
            context.print_text(line)
    return results


def _lines(answering: str, shadow: str, compared: "LiveComparison") -> list[str]:
    low, median, high = compared.quantiles
    agreement = f"{compared.agreement:.1%}{_interval(compared.agreement_interval, '.1%')}"
    shift = f"{compared.shift:+.4f}{_interval(compared.shift_interval, '+.4f')}"
    lines = [
        f"{shadow} beside {answering}, {compared.accidents:,} accidents",
        f"  agreement      {agreement}; priority by the shadow alone {compared.only_shadow:.1%}, "
        f"by the answer alone {compared.only_answer:.1%}",
        f"  probabilities  shadow minus answer: mean {shift}, absolute {compared.mean_difference:.4f}, "
        f"5 to 95 % {low:+.3f} to {high:+.3f}, median {median:+.3f}",
    ]
    if compared.differences:
        lines += [
            f"  {name:13}  {value:+.4f}{_interval(compared.differences[metric].interval, '+.4f')}"
            for metric, name in _METRICS.items()
            if (value := compared.differences[metric].value) is not None
        ]
    return [*lines, f"  {compared.conclusion()}"]


def _interval(interval: tuple[float, float] | None, form: str) -> str:
    return f" ({interval[0]:{form}} to {interval[1]:{form}})" if interval else ""
