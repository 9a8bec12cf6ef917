"""Steps that every request passes, in the order of pipeline.FILTERS."""
