"""What is done to a swarm: effects of commands, workload, arrivals, attacks."""
