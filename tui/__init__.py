"""The dashboard and the command line: screens on an engine that knows none."""
