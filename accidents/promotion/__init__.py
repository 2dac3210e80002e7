"""Promotion: whether a candidate model may replace the incumbent, by its metrics on accidents held out from both.

`held_out_evaluation` evaluates models, `decision` applies the rule of `configs/promotion.yaml`, `version_comparison`
compares registered versions.
"""
