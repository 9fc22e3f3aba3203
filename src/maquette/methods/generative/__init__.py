"""What samples of a generator are worth."""
