"""One file a network. They are found by looking: there is no list to edit."""
