"""The first steps of every page as numbers, the same on every backend."""
