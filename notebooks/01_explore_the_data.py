# %% [markdown]
# # Look at the data
#
# Where and when do accidents happen, who meets whom, and how often is somebody killed or hospitalised? All counts here
# are of accidents with a known label; the tables come from `accidents.plots.exploration`, the pictures from `accidents.plots`.
#
# On the synthetic year the pictures show what its generator has learned from the real one. Set `SOURCE` for the real one.

# %%
from cli import notebook

SOURCE = "sample"  # real years: "datagouv:2021-2023", or a folder of BAAC files

notebook.setup()
configuration = notebook.load_configuration(SOURCE)

# %%
from accidents.plots import data_quality, exploration, maps, severity
from accidents.plots.style import source_note
from accidents.tables import Accidents
from steps.ingestion.ingest import ingest

fingerprint = notebook.fingerprint(configuration)
accidents, vehicles, people, *_ = ingest(configuration.ingestion, fingerprint=fingerprint)
source = source_note(synthetic=notebook.is_synthetic(configuration))
{"accidents": len(accidents), "vehicles": len(vehicles), "people": len(people)}

# %% [markdown]
# ## Where
# Accidents draw the country by themselves. The towns have the numbers, the open country has the severity.

# %%
maps.accident_map(accidents, source)

# %% [markdown]
# ## When
# Commuting makes the numbers, nights and weekends make the severity.

# %%
hours = exploration.priority_by_hour_and_weekday(accidents)
severity.by_hour_and_weekday(hours, source)

# %% [markdown]
# ## On which road, in which light

# %%
roads = exploration.priority_by_road_and_light(accidents)
severity.by_road_and_light(roads, source)

# %% [markdown]
# ## Who met whom
# Rows are the lightest party, columns the heaviest. Accidents with *nobody else* are among the worst: an accident in
# which one is alone comes on file when somebody was hurt.

# %%
parties = exploration.priority_by_parties(Accidents(accidents, vehicles, people))
severity.by_parties(parties, source)

# %% [markdown]
# ## What is not recorded
# A blank can be a fact (*nobody was a pedestrian*), a habit of the force that filled the form, or a trace of the outcome.
# Which columns may speak to a model, and when, stands in [the data dictionary](../docs/data-dictionary.md).

# %%
missing = exploration.missing_values(Accidents(accidents, vehicles, people))
data_quality.missing_values(missing, 20, source)
