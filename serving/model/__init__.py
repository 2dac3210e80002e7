"""The model that answers: found through the pointer file, loaded, reloaded, and asked."""
