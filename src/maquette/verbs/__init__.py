"""What one can do with models and runs: one verb a file."""
