# %% [markdown]
# # Clean and validate
#
# Published files have irregularities, and copies of them may be damaged. Ingestion repairs what it can, moves single rows to
# quarantine, and stops where the data would spoil a model. Its report accounts for every row.

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
# In this copy 1 % of the rows of *caracteristiques* are duplicated, and latitude and longitude of some others are swapped.

# %%
import shutil
from pathlib import Path

import pandas as pd

from accidents.plots import data_quality
from accidents.plots.style import source_note
from accidents.sample.writer import write_sample

folder = Path("data/damaged")
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
write_sample(folder, accidents=3000, year=2024, seed=0)
file = folder / "caract-2024.csv"
rows = pd.read_csv(file, sep=";", dtype=str, keep_default_na=False)
rows.loc[:4, ["lat", "long"]] = rows.loc[:4, ["long", "lat"]].to_numpy()
pd.concat([rows, rows.sample(frac=0.01, random_state=0)]).to_csv(file, sep=";", index=False)

# %% [markdown]
# That exceeds the default limit: 0.1 % of rows may break a rule on keys. With a higher limit the rows go to quarantine,
# together with all other rows of their accidents.

# %%
tolerant = notebook.load_configuration(str(folder), ingestion__limits__bad_keys=0.05)
kept, *_, tolerated, aside, _ = ingest(tolerant.ingestion, fingerprint=notebook.fingerprint(tolerant))
print(f"{len(kept):,} accidents kept, {len(aside)} rows in quarantine")
aside.groupby(["table", "reason"]).size().rename("rows").reset_index()

# %%
data_quality.rule_violations(tolerated, 10, source_note(synthetic=True))

# %% [markdown]
# ## Validation between steps
# Every step validates the data frames that it takes and returns. All violations of a schema are shown in one table, without
# a traceback.

# %% tags=["raises-exception"]
from steps.features.build_features import build_features

build_features(accidents.assign(vma=accidents["vma"] * 10, lum=accidents["lum"] - 3), vehicles, people)

# %% [markdown]
# ## Refused data
# With the default limits the damaged copy is refused. The message has the fault, the rows and the remedy.

# %% tags=["raises-exception"]
strict = notebook.load_configuration(str(folder))
ingest(strict.ingestion, fingerprint=notebook.fingerprint(strict))
