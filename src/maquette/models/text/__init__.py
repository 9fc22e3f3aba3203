"""Models of words and texts."""
