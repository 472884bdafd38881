"""Keys, settings and themes."""
