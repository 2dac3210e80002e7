"""Memory does not grow with the number of accidents."""

import subprocess
import sys
from pathlib import Path

import pytest

from accidents.bundle import Bundle
from accidents.sample.writer import write_sample

SCORE = """
import sys
from pathlib import Path
from accidents.bundle import Bundle
from accidents.configuration.inference import InferenceSettings
from accidents.configuration.data_quality import DataQualityLimits
from accidents.inference.batch_scoring import score_accidents
model, source, output, chunk = sys.argv[1:]
settings = InferenceSettings(chunk=int(chunk), threads=1)
score_accidents(source, output, Bundle.load(model), settings, limits=DataQualityLimits(), progress=lambda line: None)
status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
print(status["VmHWM"].removesuffix("kB"))
"""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_four_times_the_accidents_take_the_same_memory(project: Path, bundle: Bundle, tmp_path: Path) -> None:
    model, few, many = tmp_path / "model.zip", tmp_path / "few", tmp_path / "many"
    bundle.save(model)
    write_sample(few, accidents=20_000)
    write_sample(many, accidents=80_000)

    def peak(source: Path, chunk: int) -> int:
        command = [sys.executable, "-c", SCORE, str(model), str(source), str(tmp_path / "scores.parquet"), str(chunk)]
        return int(subprocess.run(command, cwd=project, check=True, capture_output=True, text=True).stdout)

    in_chunks, of_four_times = peak(few, 4000), peak(many, 4000)
    in_one_piece = peak(many, 80_000)
    assert of_four_times - in_chunks < 0.25 * (in_one_piece - in_chunks)
