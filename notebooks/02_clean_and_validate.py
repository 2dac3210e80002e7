# %% [markdown]
# # Clean and validate
#
# Published files have quirks, and copies of them have faults. Ingestion mends what can be mended, sets single rows aside,
# and stops where data would teach a model something wrong. It accounts for every row.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE)

# %%
from steps.ingestion.ingest import ingest

fingerprint = notebook.fingerprint(configuration)
accidents, vehicles, people, report, quarantine, expectations = ingest(configuration.ingestion, fingerprint=fingerprint)
report[["file", "column", "check", "rows", "share", "action"]]

# %% [markdown]
# ## A damaged copy
# `accidents.sample.faults` damages an edition in 22 ways. Here one accident in a hundred stands twice in
# *caracteristiques*, and latitude and longitude of some others have changed places.

# %%
import shutil
from pathlib import Path

from accidents.plots import data_quality
from accidents.plots.style import source_note
from accidents.sample.faults import FAULTS
from accidents.sample.writer import write_sample

folder = Path("data/damaged")
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
write_sample(folder, accidents=3000, year=2024, seed=0)
FAULTS["duplicate_keys"].apply(folder)
FAULTS["swapped_coordinates"].apply(folder)

# %% [markdown]
# By default that is far too much: one row in a thousand may break a rule on keys. Whoever knows better can raise the limit;
# then the doubtful rows go into quarantine, and with them everything else about their accidents.

# %%
tolerant = notebook.load_configuration(str(folder), ingestion__limits__bad_keys=0.05)
kept, *_, tolerated, aside, _ = ingest(tolerant.ingestion, fingerprint=notebook.fingerprint(tolerant))
print(f"{len(kept):,} accidents kept, {len(aside)} rows set aside")
aside.groupby(["table", "reason"]).size().rename("rows").reset_index()

# %%
data_quality.rule_violations(tolerated, 10, source_note(synthetic=True))

# %% [markdown]
# ## Between the steps
# Every step validates the frames that it takes and returns. What breaks its schema is told in a table, all at once, in
# place of forty frames of traceback.

# %% tags=["raises-exception"]
from steps.features.build_features import build_features

build_features(accidents.assign(vma=accidents["vma"] * 10, lum=accidents["lum"] - 3), vehicles, people)

# %% [markdown]
# ## Refused
# With the limits as they are, the damaged copy is refused: what is wrong, in which row, and what can be done.

# %% tags=["raises-exception"]
strict = notebook.load_configuration(str(folder))
ingest(strict.ingestion, fingerprint=notebook.fingerprint(strict))
