"""188 molecules, of which 125 make Salmonella mutate: a node is an atom, one of seven kinds, an edge a bond.

**Source:** A. Debnath et al., *Structure-activity relationship of mutagenic aromatic and heteroaromatic nitro
compounds*, 1991; the files: C. Morris et al., *TUDataset*, 2020.

**Weakness:** few: a fold tests 18 or 19 molecules, one of which is 5 %. The greater class alone is 66.5 %.
"""

from dataclasses import replace

from maquette.data.dataset import Card, File
from maquette.data.graph_set import GraphSetDataset

CARD = Card(
    title="MUTAG",
    task="graph-classification",
    source="TU Dortmund collection, Morris et al. 2020",
    licence="none stated; to be cited",
    counts={"train": 188},
    shape=(7,),
    files=(File("MUTAG.zip", "f96414c496c15c203c28b81d33bf4448d6aa673066eeffb73516a1bded086fbd"),),
)


def read() -> GraphSetDataset:
    """Return the data set of all graphs, with ten folds; raises InputError for a file that is missing or altered."""
    from maquette.data.readers.tu_graphs import read_tu
    from maquette.data.source import describe, locate

    paths = locate("tu_graphs", CARD.files)
    return replace(read_tu(paths["MUTAG.zip"]), name="mutag", origin=describe(paths))
