"""ZenML materializers: data frames as Parquet, models as bundles, reports as zip archives, each with a preview page."""
