"""Games: matrices of pay-offs, saddle points, players that follow gradients, and divergences as games."""
