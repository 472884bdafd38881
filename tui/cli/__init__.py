"""The command line. Nothing here imports Textual before a screen is needed."""
