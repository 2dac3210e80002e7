"""MLflow: runs of trainings, registered models, their stages, and the ledger of promotions.

The only package that imports mlflow. ZenML's Model control plane is kept in step from here. What makes a model good
enough is the business of `accidents.promotion`; what a person types and reads, that of `cli`.
"""
