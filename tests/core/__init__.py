"""Each trap that the core closes."""
