"""What is computed from a running swarm: snapshots, selectors, graphs, minimum cuts, verdicts."""
