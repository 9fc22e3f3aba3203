"""Energy-based models: what of them can be had exactly, and what has to be estimated."""
