"""Further recipes: other data, other sizes."""
