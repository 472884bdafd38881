"""The world a swarm stands in: who is linked, where they live, what they share, how long they stay."""
