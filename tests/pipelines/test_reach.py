"""What a step really imports is what its cache key knows of."""

import subprocess
import sys
from pathlib import Path

import pytest

from steps.caching import reached

PROBE = """
import sys
from pathlib import Path
from accidents.configuration.loading import load
from accidents.sources.resolve import resolve
from accidents.sources.fingerprint import fingerprint

folder, wanted = Path(sys.argv[1]), sys.argv[2]
settings = load(overrides={
    "ingestion.source.data_folder": folder, "ingestion.source.sample.accidents": 1200,
    "training.model_settings.lightgbm.parameters.rounds": 5,
})
identity = fingerprint(resolve(settings.ingestion.source))
inputs = (settings.ingestion, identity)
if wanted == "build_features":
    from steps.ingestion.ingest import ingest
    inputs = ingest.entrypoint(*inputs)[:3]
for name in [name for name in sys.modules if name.partition(".")[0] in ("accidents", "steps")]:
    del sys.modules[name]
if wanted == "ingest":
    from steps.ingestion.ingest import ingest as step
else:
    from steps.features.build_features import build_features as step
step.entrypoint(*inputs)
print(*(name for name in sys.modules if name.partition(".")[0] in ("accidents", "steps")), sep="\\n")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wanted", "module"),
    [("ingest", "steps.ingestion.ingest"), ("build_features", "steps.features.build_features")],
)
def test_every_module_a_step_loads_is_in_its_digest(wanted: str, module: str, tmp_path: Path, project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path), wanted], cwd=project, capture_output=True, text=True, check=True
    )
    loaded = {line for line in done.stdout.splitlines() if line.startswith(("accidents", "steps"))}
    assert len(loaded) > 10
    assert loaded <= reached(module)
