"""Questions to callers: the ranking of unknown facts beside fixed orders, and its time beside the plain prediction.

    python -m benchmarks.questions [--source FOLDER] [--models lightgbm ...] [--most 3000] [--seed 0]
                                   [--train-months 1 6] [--test-months 7 9] [--picture FILE]

Trains on the accidents of some months. Of accidents of other months only is known what a bystander knows. Then one fact
after the other is asked for, and its true value becomes known; where that is not recorded, the question was in vain.

- `ranked`: the first of `rank_questions`, each time anew.
- `page`: the fields in the order of the page.
- `learned`: the best fixed order, chosen greedily by the Brier score on accidents of the training months that the model
  was not fitted on.

The first model type answers the questions; all are timed. Differences have 95 % intervals of a paired bootstrap over
accidents. Level of information: `call`. Times are milliseconds of a thread, the median over accidents.
"""

import argparse
import json
import re
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from accidents.atomic_write import write_bytes
from accidents.bundle import Bundle
from accidents.columns import MISSING
from accidents.features import feature_frame
from accidents.features.array_columns import PUBLISHED_COLUMNS, Entity
from accidents.features.arrays import Arrays, to_arrays
from accidents.knowledge.masks import FIELDS, KNOWN, all_but
from accidents.knowledge.questions import MOST_CANDIDATES, rank_questions
from accidents.models.base import Vector
from accidents.plots.knowledge import question_curve
from accidents.plots.style import render_figure, source_note
from accidents.tables import LABEL, Accidents, Subset
from accidents.training import train
from benchmarks.common import argument_parser, load_accidents, print_markdown
from benchmarks.modelling import settings

Slot = tuple[Entity, int, str]
"""A fact: of the accident, or of the vehicle or person at a position."""

_ASKED = 5
_SHOWN = (1, 3, 5)
_RESAMPLES = 2000
_LEARNED_ON, _LEARNED_SLOTS, _LEARNED_FROM, _TIMED = 2000, 8, 16, 300
_VEHICLES, _PEOPLE = 3, 4  # that fixed orders ask about
_LAYOUT = Path(__file__).parents[1] / "serving" / "page" / "layout.js"
_ALL_SLOTS = (
    *((Entity.ACCIDENT, 0, name) for name in PUBLISHED_COLUMNS[Entity.ACCIDENT]),
    *((Entity.VEHICLES, index, name) for index in range(_VEHICLES) for name in PUBLISHED_COLUMNS[Entity.VEHICLES]),
    *((Entity.PEOPLE, index, name) for index in range(_PEOPLE) for name in ("place", "sexe", "an_nais")),
)


class Interview:
    """Accidents of which a bystander's knowledge grows by answers."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.mask = all_but(arrays, KNOWN["bystander"])
        self.asked: list[set[Slot]] = [set() for _ in arrays.accident]
        self._flags = dict(zip(Entity, vars(self.mask).values(), strict=True))
        self._rows = dict(zip(Entity, (arrays.accident, arrays.vehicles, arrays.people), strict=True))
        counts = np.arange(len(arrays.accident) + 1)
        self._starts = dict(zip(Entity, (counts, arrays.vehicle_starts, arrays.person_starts), strict=True))

    def known(self) -> Arrays:
        """The accidents as far as they are known."""
        return self.mask.apply(self.arrays)

    def can_ask(self, accident: int, slot: Slot) -> bool:
        """Whether the accident has this fact, and it is neither known nor was asked for."""
        entity, index, name = slot
        row = self._starts[entity][accident] + index
        exists = row < self._starts[entity][accident + 1]
        return bool(
            exists and self._flags[entity][row, FIELDS[entity].index(name)] and slot not in self.asked[accident]
        )

    def ask(self, accident: int, slot: Slot) -> None:
        """Learn the recorded value of a fact."""
        entity, index, name = slot
        row, column = self._starts[entity][accident] + index, FIELDS[entity].index(name)
        self.asked[accident].add(slot)
        self._flags[entity][row, column] = self._rows[entity][row, column] == MISSING

    def ask_first(self, order: Sequence[Slot]) -> None:
        """Ask each accident for the first fact of an order that it can be asked for."""
        for accident in range(len(self.asked)):
            self._ask_first_of(accident, order)

    def ask_ranked(self, bundle: Bundle) -> None:
        """Ask each accident for what the model ranks first."""
        known = self.known()
        for accident in range(len(self.asked)):
            count = min(len(self.asked[accident]) + 1, MOST_CANDIDATES)
            ranked = rank_questions(bundle, known.take(np.array([accident])), count)
            self._ask_first_of(accident, [(one.entity, one.index, one.name) for one in ranked])

    def _ask_first_of(self, accident: int, slots: Iterable[Slot]) -> None:
        if slot := next((one for one in slots if self.can_ask(accident, one)), None):
            self.ask(accident, slot)


def _page_order() -> list[Slot]:
    """The first fields of the page, in its order; vehicles and people in turn. Roads have no values to ask for."""
    text = _LAYOUT.read_text().partition("FIRST_COLUMNS = {")[2].partition("};")[0]
    columns = {part: json.loads(names) for part, names in re.findall(r"(\w+): (\[.*?\])", text)}
    order: list[Slot] = [(Entity.ACCIDENT, 0, name.partition(".")[2]) for name in columns["what"]]
    for index in range(_VEHICLES):
        order += [(Entity.VEHICLES, index, name) for name in columns["vehicle"]]
        order += [(Entity.PEOPLE, index, "an_nais" if name == "age" else name) for name in columns["person"]]
    return [slot for slot in order if slot[2] in PUBLISHED_COLUMNS[slot[0]]]


def main() -> None:
    """Print the tables."""
    options = _options()
    accidents = load_accidents(options.source)
    training, test = (_months(accidents, *months) for months in (options.train_months, options.test_months))
    for number, name in enumerate(options.models):
        bundle, held_out = _train(name, training, options.seed)
        if number == 0:
            rows = np.sort(np.random.default_rng(options.seed).permutation(len(test.accidents))[: options.most])
            labels = test.accidents[LABEL].to_numpy(np.float64)[rows]
            learned = _learn_order(bundle, held_out)
            print("learned order:", ", ".join(f"{entity}[{index}].{field}" for entity, index, field in learned))
            probabilities = _ask(bundle, to_arrays(test).take(rows), learned)
            _print_quality(labels, probabilities)
            if options.picture:
                _draw(labels, probabilities, options)
        plain, ranking = _milliseconds(bundle, to_arrays(test))
        print(f"{name}: plain {plain:.2f} ms, questions {ranking:.2f} ms besides", flush=True)


def _options() -> argparse.Namespace:
    parser = argument_parser(__doc__)
    parser.add_argument("--source", default="sample", help="sample, or a folder of real files")
    parser.add_argument("--models", nargs="+", default=["lightgbm"])
    parser.add_argument("--most", type=int, default=3000, help="greatest number of test accidents")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train-months", nargs=2, type=int, default=[1, 6], metavar=("FIRST", "LAST"))
    parser.add_argument("--test-months", nargs=2, type=int, default=[7, 9], metavar=("FIRST", "LAST"))
    parser.add_argument("--picture", type=Path, help="where to write the curve, as SVG")
    return parser.parse_args()


def _months(accidents: Accidents, first: int, last: int) -> Accidents:
    table = accidents.accidents
    ids = table["Num_Acc"][table["mois"].between(first, last) & (table[LABEL] >= 0)]
    return Accidents(*(rows[rows["Num_Acc"].isin(ids)].reset_index(drop=True) for rows in vars(accidents).values()))


def _train(name: str, training: Accidents, seed: int) -> tuple[Bundle, tuple[Arrays, Vector]]:
    """The model, and the accidents of its test set with their labels."""
    configured = settings(seed, {"split": {"test_share": 0.15}, "threads": 1})
    table = training.accidents
    result = train(name, feature_frame(training), table, configured, level="call", details=training)
    predictions = result.predictions
    ids = predictions["Num_Acc"][predictions["subset"] == str(Subset.TEST)]
    rows = np.flatnonzero(table["Num_Acc"].isin(ids))[:_LEARNED_ON]
    return result.bundle, (to_arrays(training).take(rows), table[LABEL].to_numpy(np.float64)[rows])


def _learn_order(bundle: Bundle, held_out: tuple[Arrays, Vector]) -> list[Slot]:
    """The fixed order whose every fact lowers the Brier score most, given those before it.

    Facts that are not among the `_LEARNED_FROM` best at one place are not tried at the next.
    """
    arrays, labels = held_out
    order: list[Slot] = []
    slots: Sequence[Slot] = _ALL_SLOTS
    for _ in range(_LEARNED_SLOTS):
        scores = {}
        for slot in slots:
            interview = Interview(arrays)
            for one in (*order, slot):
                interview.ask_first([one])
            scores[slot] = float(np.mean((bundle.predict(interview.known()) - labels) ** 2))
        best, *slots = sorted(slots, key=lambda slot: scores[slot])[:_LEARNED_FROM]
        order.append(best)
    return order


def _ask(bundle: Bundle, arrays: Arrays, learned: Sequence[Slot]) -> dict[str, list[Vector]]:
    """Probabilities after 0, 1, … questions by policy, and with everything known."""
    fixed = {"page": _page_order(), "learned": learned}
    probabilities = {"everything": [bundle.predict(arrays)] * (_ASKED + 1)}
    for policy in ("ranked", *fixed):
        interview = Interview(arrays)
        probabilities[policy] = [bundle.predict(interview.known())]
        for _ in range(_ASKED):
            if policy == "ranked":
                interview.ask_ranked(bundle)
            else:
                interview.ask_first(fixed[policy])
            probabilities[policy].append(bundle.predict(interview.known()))
    return probabilities


def _losses(labels: Vector, probabilities: Vector) -> dict[str, Vector]:
    return {
        "Brier": (probabilities - labels) ** 2,
        "log loss": -np.log(np.where(labels > 0, probabilities, 1 - probabilities).clip(1e-15)),
    }


def _print_quality(labels: Vector, probabilities: dict[str, list[Vector]]) -> None:
    resampled = np.random.default_rng(0).integers(len(labels), size=(_RESAMPLES, len(labels)))
    losses = {policy: [_losses(labels, one) for one in steps] for policy, steps in probabilities.items()}
    print(f"\n{len(labels):,} accidents")
    for loss in ("Brier", "log loss"):
        rows = []
        for asked in (0, *_SHOWN):
            row: dict[str, object] = {"questions": asked}
            row |= {f"{policy}, {loss}": f"{np.mean(losses[policy][asked][loss]):.5f}" for policy in losses}
            for other in ("page", "learned"):
                difference = losses["ranked"][asked][loss] - losses[other][asked][loss]
                low, high = np.quantile(difference[resampled].mean(axis=1), (0.025, 0.975))
                row[f"ranked - {other}"] = f"{difference.mean():+.5f} ({low:+.5f} to {high:+.5f})"
            rows.append(row)
        print_markdown(rows)


def _draw(labels: Vector, probabilities: dict[str, list[Vector]], options: argparse.Namespace) -> None:
    brier = {policy: [float(np.mean((one - labels) ** 2)) for one in steps] for policy, steps in probabilities.items()}
    everything = brier.pop("everything")[0]
    figure = question_curve(brier, everything, source_note(synthetic=options.source == "sample"))
    write_bytes(options.picture, render_figure(figure).standalone_svg.encode())


def _milliseconds(bundle: Bundle, arrays: Arrays) -> tuple[float, float]:
    """Median time of a plain prediction, and of three questions besides, from a bystander's knowledge."""
    known = Interview(arrays.take(np.arange(_TIMED))).known()
    plain, ranking = [], []
    for accident in range(_TIMED):
        one = known.take(np.array([accident]))
        started = time.perf_counter()
        bundle.predict(one)
        predicted = time.perf_counter()
        rank_questions(bundle, one, 3)
        ranking.append(time.perf_counter() - predicted)
        plain.append(predicted - started)
    return 1e3 * float(np.median(plain)), 1e3 * float(np.median(ranking))


if __name__ == "__main__":
    main()
