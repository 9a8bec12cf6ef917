"""How served versions that differ from the stored one relate to it, one page per group."""
