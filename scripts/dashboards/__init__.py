"""Grafana dashboards as code: `panels` has the queries, `python -m scripts.dashboards` writes the JSON files."""
