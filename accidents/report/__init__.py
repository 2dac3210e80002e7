"""HTML reports and the model card: evaluation of one model, comparison of several.

Every page is one self-contained file that loads nothing from other hosts.
"""
