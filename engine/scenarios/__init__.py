"""Scenarios that are shipped: one TOML file each, a story worth watching. `lab/scenario.py` reads them."""
