"""Who asks: authenticators in order."""
