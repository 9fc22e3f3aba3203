"""How much a column of an encoded batch of graphs stands for, which its encoder and the models agree on."""

NODES, EDGES = 256, 1280  # loops that a model adds are counted as edges
