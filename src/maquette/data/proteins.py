"""1,113 proteins, 450 of them no enzymes: a node is a piece of structure, an edge joins neighbours.

A node is a helix, sheet or turn, and knows its length; its neighbours are next in the chain or near in space.

**Source:** K. Borgwardt et al., *Protein function prediction via graph kernels*, 2005; P. Dobson, A. Doig,
*Distinguishing enzyme structures from non-enzymes without alignments*, 2003; the files: C. Morris et al.,
*TUDataset*, 2020.

**Weakness:** the size of a graph alone tells much: networks gain little over counting.
"""

from dataclasses import replace

from maquette.data.dataset import Card, File
from maquette.data.graph_set import GraphSetDataset

CARD = Card(
    title="PROTEINS",
    task="graph-classification",
    source="TU Dortmund collection, Morris et al. 2020",
    licence="none stated; to be cited",
    counts={"train": 1113},
    shape=(4,),
    files=(File("PROTEINS.zip", "1cbb2d537d593186b9cf54df78fa5bc1dba61f7d5e74c57f64dcfdaea46b7ae3"),),
)


def read() -> GraphSetDataset:
    """Return the data set of all graphs, with ten folds; raises InputError for a file that is missing or altered."""
    from maquette.data.readers.tu_graphs import read_tu
    from maquette.data.source import describe, locate

    paths = locate("tu_graphs", CARD.files)
    return replace(read_tu(paths["PROTEINS.zip"]), name="proteins", origin=describe(paths))
