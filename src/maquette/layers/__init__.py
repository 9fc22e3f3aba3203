"""Small layers that pages share, one a file."""
