"""Sampling: exact enumeration, Monte Carlo estimates, Markov chains and what they are worth."""
