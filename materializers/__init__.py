"""How artifacts are stored: frames as Parquet with a preview, models as bundles with their card, reports zipped."""
