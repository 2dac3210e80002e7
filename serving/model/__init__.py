"""The served model: the pointer file that names it, loading and reloading, prediction."""
