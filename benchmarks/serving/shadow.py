"""What a shadow model costs the answers: latency at half of the highest rate, with and without one.

    python -m benchmarks.serving.shadow [--source FOLDER] [--types lightgbm,xgboost] [--rounds N] [--seconds S]

The first type answers, the second one is the shadow. Two services with one worker each run side by side; the highest
rate is that of the one without a shadow, with eight connections. Then both get half of it in turns, and the ratio of
their median latencies is taken within a round. At the end both get all that they can take: the shadow drops what it
cannot score, and is counted.
"""

import os
import re
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

import requests

from benchmarks.common import argument_parser
from benchmarks.serving.comparison import CLIENTS, print_line
from benchmarks.serving.load_test import LoadResult, run_load
from benchmarks.serving.servers import RunningServer, run_server, service
from benchmarks.serving.workload import load_workload

_ACCIDENTS = 2_000
_SHARE = 0.5
_COUNT = re.compile(r'accidents_shadow_answers_total\{state="(\w+)"\} (\S+)')
_KEY = re.compile(rb"Authorization: (Bearer \S+)")


def main() -> None:
    """Measure and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--source", default="sample", help="sample, or a folder of BAAC files")
    parser.add_argument("--types", default="lightgbm,xgboost", help="of the model that answers, and of the shadow")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=5.0, help="of one measurement")
    options = parser.parse_args()
    types = tuple(options.types.split(","))
    if len(types) != 2:
        parser.error(f"argument --types: {options.types!r} is not two model types, separated by a comma")
    for name in ("SERVING_DATABASE_URL", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        workload = load_workload(options.source, None, types, _ACCIDENTS, folder)
        files = []
        for model_type in types:
            files.append(folder / f"{model_type}_model.zip")
            workload.bundles[model_type].save(files[-1])
        servers = {}
        for kind, extra in (("without", ()), ("with", ("--shadow", str(files[1])))):
            (folder / kind).mkdir()
            spec = service(files[0], folder / kind, *extra)
            servers[kind] = stack.enter_context(run_server(spec, folder / kind / "log"))
        _measure(servers, workload.texts, options.rounds, options.seconds)


def _measure(servers: dict[str, RunningServer], texts: list[bytes], rounds: int, seconds: float) -> None:
    def load(kind: str, rate: float | None = None) -> LoadResult:
        spec = servers[kind].spec
        messages = [spec.single(text) for text in texts]
        return run_load(spec.port, messages, clients=CLIENTS, seconds=seconds, rate=rate)

    highest = load("without").rate
    rate = highest * _SHARE
    print_line(f"highest rate {highest:,.0f} requests/s; both get {rate:,.0f}")
    ratios = []
    for number in range(rounds):
        order = ("without", "with") if number % 2 else ("with", "without")
        results = {kind: load(kind, rate) for kind in order}
        ratios.append(results["with"].p50 / results["without"].p50)
        parts = [f"{kind} p50 {one.p50:.3f} ms, p99 {one.p99:.2f} ms" for kind, one in sorted(results.items())]
        print_line(f"round {number + 1}: {'; '.join(parts)}; ratio of p50 {ratios[-1]:.3f}")
    print_line(f"median latency with a shadow: {statistics.median(ratios) - 1:+.1%} (median of {rounds} rounds)")
    print_line(f"shadow answers: {_shadow_counts(servers['with'], texts[0])}")
    for kind in servers:
        print_line(f"highest rate {kind} a shadow: {load(kind).rate:,.0f} requests/s")
    print_line(f"shadow answers: {_shadow_counts(servers['with'], texts[0])}")


def _shadow_counts(server: RunningServer, text: bytes) -> str:
    key = _KEY.search(server.spec.single(text))
    headers = {"Authorization": key[1].decode()} if key else {}
    metrics = requests.get(f"http://127.0.0.1:{server.spec.port}/metrics", headers=headers, timeout=30).text
    return ", ".join(f"{state} {float(count):,.0f}" for state, count in _COUNT.findall(metrics)) or "none"


if __name__ == "__main__":
    main()
