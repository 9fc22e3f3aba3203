"""Models that recommend: what a user will think of an item, from the ratings of all users."""
