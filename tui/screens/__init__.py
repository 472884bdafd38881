"""The screens: the dashboard, the frame clock, and the dialogs over it."""
