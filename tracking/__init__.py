"""MLflow: training runs, model registry with stages, promotion, ledger, deployment.

The only package that imports mlflow. ZenML's Model control plane is kept in sync from here. The promotion rule is in
`accidents.promotion`.
"""
