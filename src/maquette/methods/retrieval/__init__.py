"""Text as counts of words: how documents become sparse vectors, are compared, indexed, searched and judged."""
