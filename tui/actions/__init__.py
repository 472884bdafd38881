"""What a person can do: one table of actions, and what each of them does."""
