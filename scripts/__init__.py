"""Scripts for developers: they build data files that the packages ship, documents and notebooks, and check the code."""
