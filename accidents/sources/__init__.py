"""Where the published files come from: an embedded sample, data.gouv.fr, a folder or any fsspec URL."""
