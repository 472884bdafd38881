"""The world of a swarm: its overlay, latencies, access links, files, churn and arrivals."""
