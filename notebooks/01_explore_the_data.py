# %% [markdown]
# # Explore the data
#
# Where and when do accidents happen, which parties collide, and how often is somebody killed or hospitalised? Accidents
# without a label are left out. The tables come from `accidents.plots.exploration`, the plots from `accidents.plots`.
#
# The synthetic year has the distributions of the real one, as far as its generator reproduces them. Set `SOURCE` for real
# data.

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
# Most accidents happen in towns; the severe ones happen in the open country.

# %%
maps.accident_map(accidents, source)

# %% [markdown]
# ## When
# Most accidents happen during commuting hours; at night and on weekends they are more severe.

# %%
hours = exploration.priority_by_hour_and_weekday(accidents)
severity.by_hour_and_weekday(hours, source)

# %% [markdown]
# ## On which road, in which light

# %%
roads = exploration.priority_by_road_and_light(accidents)
severity.by_road_and_light(roads, source)

# %% [markdown]
# ## Which parties
# Rows are the lightest party, columns the heaviest. Accidents with *nobody else* are among the most severe: a single-vehicle
# accident is recorded only if somebody was hurt.

# %%
parties = exploration.priority_by_parties(Accidents(accidents, vehicles, people))
severity.by_parties(parties, source)

# %% [markdown]
# ## Missing values
# A missing value can be a fact (there was no pedestrian), a habit of the police force that filled in the form, or a
# consequence of the outcome. [The data dictionary](../docs/data-dictionary.md) has the columns that features may use, and
# from which level on.

# %%
missing = exploration.missing_values(Accidents(accidents, vehicles, people))
data_quality.missing_values(missing, 20, source)
