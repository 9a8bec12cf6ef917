"""Controllers: one page each, on one runtime."""
