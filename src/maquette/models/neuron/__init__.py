"""Networks of neurons, fully connected."""
