"""Departments by commune and by coordinates, their local time, and daylight.

The outlines in `outlines/` are built by `scripts/build_department_outlines.py`; the web page shows the same file.
"""
