"""Pandera schemas of every frame of the project, derived from the column specification."""
