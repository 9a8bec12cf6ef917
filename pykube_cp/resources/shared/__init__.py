"""What several strategies or rules share."""
