"""What is measured: records of asks, metrics, time series, events, snapshots."""
