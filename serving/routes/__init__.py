"""The routes, one file a concern; each asks `serving.model.predictor` and says nothing of its own."""
