"""All the machinery that a page may import besides keras and numpy."""
