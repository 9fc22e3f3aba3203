"""Pages that learn, one algorithm a file, sorted into families."""
