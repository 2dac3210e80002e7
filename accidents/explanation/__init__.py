"""Why a model says what it says: exact SHAP values, as reasons in words and as importance of features.

The values themselves come from the models (`accidents.models.base.Model.contributions`).
"""
