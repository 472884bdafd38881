"""The session: the run, what the user looks at in it, and the data of frames. Nothing here imports Textual."""
