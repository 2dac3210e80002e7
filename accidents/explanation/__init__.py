"""Explanations from exact SHAP values: reasons and waterfall of one prediction, feature importance of a model.

The SHAP values come from `accidents.models.base.Model.contributions`.
"""
