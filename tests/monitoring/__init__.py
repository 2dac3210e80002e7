"""Simulator, rules, dashboards: all against the real programs."""
