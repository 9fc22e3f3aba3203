"""Filters of pictures: smoothing, sharpening, edges, noise, restoration."""
