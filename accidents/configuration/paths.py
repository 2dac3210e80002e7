"""Root folder of the project. Folders that a user configures are in the sections that use them."""

from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
"""Folder of the checkout: holds `configs/`, `examples/` and the packages, and by default `data/` and `models/`."""
