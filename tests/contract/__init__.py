"""What every model page has to keep, whatever it computes."""
