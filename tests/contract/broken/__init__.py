"""Pages that break one rule each, which the check of that rule has to notice."""
