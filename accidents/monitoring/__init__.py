"""Monitoring: whether accidents of a window differ from those that a model was trained on, and its answers with them.

`reference` counts training data, `columns` says what is compared, `drift` compares inputs and predictions, `season`
explains by the seasons of another year, `performance` compares outcomes, `monitor` puts all of it together.
"""
