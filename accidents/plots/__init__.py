"""Figures in one style, for reports and notebooks.

Every plotting function takes results and returns a `matplotlib.figure.Figure`; there is no pyplot and no global state.
matplotlib is imported when the first figure is made.
"""
