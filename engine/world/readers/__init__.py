"""Readers of files that other programs wrote: edge lists, graphs, matrices of round trips, sessions."""
