"""Networks on graphs: what a node, or a whole graph, is, from what it holds and what it is joined to."""
