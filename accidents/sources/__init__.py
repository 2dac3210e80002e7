"""Sources of the published files: synthetic sample, data.gouv.fr, a folder or any fsspec URL."""
