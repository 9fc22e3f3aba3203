"""Readers of the user's own data, one format a file."""
