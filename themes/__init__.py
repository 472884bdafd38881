"""Colour themes as data, one TOML file a theme; `tui/config/themes.py` reads them and says what each role means."""
