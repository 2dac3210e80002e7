"""How artifacts are stored: frames as Parquet with a preview, trained models as bundles with their card."""
