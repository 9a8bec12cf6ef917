"""How any kind is stored: rows, hooks, one generic store."""
