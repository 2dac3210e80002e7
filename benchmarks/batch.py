"""Accidents a processor second, and memory, of batch scoring from partitions.

    python -m benchmarks.batch --model-path FILE [--accidents N] [--form csv|parquet|flat] [--folder FOLDER]

Partitions of 20,000 synthetic accidents are scored in one process; four are drawn, and the others are links to them.
Memory is the peak of the process after two partitions and after each tenth. With `--folder` the files stay, and an
interrupted benchmark goes on with the partitions that are left; its rate is that of these. At the end the accidents of
each output are compared with those of its partition.
"""

import resource
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from accidents.bundle import Bundle
from accidents.configuration.environment import load_environment
from accidents.configuration.loading import load_configuration
from accidents.inference.batch_scoring import score_accidents
from accidents.ingestion import ingest
from accidents.requests.flat import FLAT_FIELDS
from accidents.sample.writer import write_sample
from accidents.sources.folder import folder_editions
from accidents.tables import Accidents
from benchmarks.common import argument_parser

_PARTITION, _DRAWN = 20_000, 4
_FIRST_SHOWN = 2  # partitions after which memory is shown first


def main() -> None:
    """Write the partitions that are not there, score those that are not finished, and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model-path", type=Path, required=True, metavar="FILE")
    parser.add_argument("--accidents", type=int, default=1_000_000)
    parser.add_argument("--form", choices=("csv", "parquet", "flat"), default="csv")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    load_environment()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = options.folder or Path(name)
        source, output = folder / options.form, folder / f"{options.form}-scores"
        write_partitions(source, options.form, -(-options.accidents // _PARTITION))
        configuration, bundle = load_configuration(), Bundle.load(options.model_path)
        done, started = 0, time.process_time()
        tenth = max(options.accidents // _PARTITION // 10, 1)

        def progress(line: str) -> None:
            nonlocal done
            done += "accidents, partition" in line
            if "accidents, partition" in line and (done % tenth == 0 or done == _FIRST_SHOWN):
                megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                rate = done * _PARTITION / (time.process_time() - started)
                print(
                    f"{done * _PARTITION:,} accidents: {rate:,.0f} a processor second, peak {megabytes:.0f} MB",
                    flush=True,
                )

        output.parent.mkdir(parents=True, exist_ok=True)
        summary = score_accidents(
            str(source), str(output), bundle, configuration.inference,
            limits=configuration.ingestion.limits, progress=progress,
        )  # fmt: skip
        print(f"{summary.scored:,} accidents scored, {summary.rejected:,} rejected")
        print(f"{count_complete(source, output)} of {len([*source.iterdir()])} files have each accident once")


def write_partitions(source: Path, form: str, count: int) -> None:
    """Draw a few partitions, and link the others to them."""
    drawn = []
    for number in range(count):
        target = source / (f"{number:05d}.parquet" if form == "flat" else f"{number:05d}")
        if number < _DRAWN:
            if not target.exists():
                _draw(target, form, 2021 + number)
            drawn.append(target)
        elif not target.exists():
            target.symlink_to(drawn[number % _DRAWN].resolve())


def count_complete(source: Path, output: Path) -> int:
    """Number of partitions whose output has the accidents of the partition, each of them once."""
    expected: dict[Path, list[int]] = {}
    complete = 0
    for partition in source.iterdir():
        drawn = partition.resolve()
        if drawn not in expected:
            expected[drawn] = sorted(_ids(drawn))
        complete += sorted(_ids(output / f"{partition.stem}.parquet")) == expected[drawn]
    return complete


def _ids(path: Path) -> list[int]:
    """Ids in an output, or in a partition as it was drawn."""
    if path.is_dir():
        path = next(path.glob("car*"))
    if path.suffix == ".csv":
        table = pacsv.read_csv(path, parse_options=pacsv.ParseOptions(delimiter=";"))
    else:
        table = pq.read_table(path)
    return next(table[name] for name in ("Num_Acc", "Accident_Id") if name in table.column_names).to_pylist()


def _draw(target: Path, form: str, year: int) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent.parent if target.parent.parent.is_dir() else None) as name:
        text = Path(name) / str(year)
        text.mkdir()
        write_sample(text, accidents=_PARTITION, year=year)
        target.parent.mkdir(parents=True, exist_ok=True)
        if form == "flat":
            pq.write_table(
                flat_form(ingest(folder_editions(str(text), None), load_configuration().ingestion).accidents), target
            )
            return
        target.mkdir()
        for file in text.glob("*.csv"):
            if form == "csv":
                (target / file.name).write_bytes(file.read_bytes())
            else:
                texts = pacsv.ConvertOptions(column_types=dict.fromkeys(("dep", "com", "hrmn"), pa.string()))
                table = pacsv.read_csv(file, parse_options=pacsv.ParseOptions(delimiter=";"), convert_options=texts)
                pq.write_table(table, target / f"{file.stem}.parquet")


def flat_form(accidents: Accidents) -> pa.Table:
    """Accidents in the flat form, with the first vehicle and the first person of each."""
    main = accidents.accidents.set_index("Num_Acc")
    frame = main.join(accidents.vehicles.drop_duplicates("Num_Acc").set_index("Num_Acc"), rsuffix="_v")
    frame = frame.join(accidents.people.drop_duplicates("Num_Acc").set_index("Num_Acc"), rsuffix="_p")
    frame["nb_vehicules"] = accidents.vehicles.groupby("Num_Acc").size()
    frame["nb_victim"] = accidents.people.groupby("Num_Acc").size()
    frame["year_acc"], frame["agg_"] = frame["an"], frame["agg"]
    minutes = frame["hrmn"].clip(lower=0)
    frame["hrmn"] = (minutes // 60).map("{:02d}".format) + ":" + (minutes % 60).map("{:02d}".format)
    return pa.Table.from_pandas(frame[sorted(FLAT_FIELDS)].reset_index(), preserve_index=False)


if __name__ == "__main__":
    main()
