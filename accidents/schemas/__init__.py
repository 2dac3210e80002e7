"""Pandera schemas of the frames of the project, derived from the column specification."""
