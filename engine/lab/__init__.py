"""Runs without a screen: scenario files, the headless runner."""
