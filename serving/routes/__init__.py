"""The routes, one file a concern; each asks `serving.answering` and says nothing of its own."""
