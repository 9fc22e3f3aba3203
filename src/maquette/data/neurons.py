"""Neurons: twelve sentences on nerve cells and networks, a text so small that a model can learn it by heart."""

import numpy as np

from maquette.data.dataset import Card, Dataset, Split

CARD = Card(
    title="Twelve sentences on neurons",
    task="word-vectors",
    source="written for Maquette",
    licence="Apache-2.0",
    counts={"train": 1_359},
    shape=(),
)

TEXT = """\
Deep learning takes its first ideas from the nerve cells of animals and from the way in which they are connected
A biological neuron receives signals from other cells through a tree of thin branches that are called dendrites
The body of the cell adds these signals up and compares the sum with a threshold that differs from cell to cell
When the sum is above the threshold the neuron sends a short pulse of voltage along a single fibre named axon
At the end of the axon the pulse crosses small gaps and becomes an input of the next neuron in the network
The strength of such a gap changes with use so that a path which is often taken becomes easier to take again
An artificial neuron is a simple sketch of this process in which every signal is a number and every gap a weight
It multiplies each input by its weight adds the products and a bias and passes the result through an activation function
Many artificial neurons that read the same inputs form a layer and several layers in a row form a deep network
Early layers of a trained network respond to edges and colours while later layers respond to parts and whole objects
Learning means that the weights are moved a little after each example in the direction that makes the error smaller
The brain surely learns by other rules yet the comparison with biological cells has remained a useful source of names
"""


def read() -> Dataset:
    """The text as bytes: x uint8 (bytes,), a sentence a line."""
    return Dataset(name="neurons", train=Split(np.frombuffer(TEXT.encode(), "uint8")), origin="written for Maquette")
