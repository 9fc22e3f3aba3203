"""Signals and linear systems: convolution, impulses, sampling, identification."""
