"""What is looked at: the player of a swarm, the selection, analyses; no module here knows Textual."""
