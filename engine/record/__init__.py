"""Recordings, checkpoints, and going back in time."""
