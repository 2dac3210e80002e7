"""Pictures in one quiet style, for reports and notebooks alike.

Every function takes results, returns a `matplotlib.figure.Figure`, and draws on it alone: no pyplot, no global state.
matplotlib is imported when something is drawn.
"""
