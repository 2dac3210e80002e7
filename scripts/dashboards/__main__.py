"""Write the dashboards of `monitoring/dashboards`, one JSON file each, for import into Grafana.

python -m scripts.dashboards          write them
python -m scripts.dashboards --check  fail where a file is not what the code says
"""

import json
import sys
from string import ascii_uppercase

from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from accidents.atomic_write import write_text
from scripts.dashboards.panels import DASHBOARDS, FOLDER, Panel

_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_WIDTH, _HEIGHT = 12, 8  # two panels a row, in units of Grafana


def dashboard_json(name: str) -> str:
    """A dashboard as JSON."""
    title, panels = DASHBOARDS[name]
    dashboard = Dashboard(title).uid(f"accidents-{name}").tags(["accidents"]).refresh("30s").time("now-1h", "now")
    dashboard = dashboard.with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    for panel in panels:
        dashboard = dashboard.with_panel(_time_series(panel))
    return json.dumps(json.loads(JSONEncoder(sort_keys=True).encode(dashboard.build())), indent=2) + "\n"


def _time_series(panel: Panel) -> TimeSeries:
    built = TimeSeries().title(panel.title).description(panel.description).unit(panel.unit).datasource(_SOURCE)
    for letter, (expression, legend) in zip(ascii_uppercase, panel.queries.items(), strict=False):
        query = Dataquery().expr(expression).legend_format(legend).datasource(_SOURCE).ref_id(letter)
        built = built.with_target(query)
    return built.span(_WIDTH).height(_HEIGHT)


def main() -> None:
    """Write or check every file."""
    changed = []
    for name in DASHBOARDS:
        file, text = FOLDER / f"{name}.json", dashboard_json(name)
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            changed.append(str(file))
            if "--check" not in sys.argv[1:]:
                write_text(file, text)
    if changed and "--check" in sys.argv[1:]:
        sys.exit(f"not what the code says, run 'python -m scripts.dashboards': {', '.join(changed)}")
    print("\n".join(changed) or "all dashboards are up to date")


if __name__ == "__main__":
    main()
