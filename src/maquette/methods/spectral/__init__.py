"""Graphs by their spectra: Laplacians, cuts, communities, and manifolds laid out flat."""
