"""2,708 papers on machine learning in seven classes, the words of each, and who cites whom, in the public split.

140 papers are trained on, 20 of each class, 500 validate and 1,000 test; the other 1,068 have a class that is not used
unless another split is asked for. A feature is one of 1,433 words, 1 where the paper has it. Of 5,429 citations 5,278
join different pairs of papers; directions are dropped, as is usual.

**Source:** P. Sen et al., *Collective classification in network data*, 2008; the split: Z. Yang, W. Cohen,
R. Salakhutdinov, *Revisiting semi-supervised learning with graph embeddings*, 2016.

**Weakness:** small; the public split is one of many, and methods rank differently on others.
"""

from dataclasses import replace

from maquette.data.dataset import Card, File
from maquette.data.nodes import GraphDataset, dataset_of

PLACE = "https://raw.githubusercontent.com/kimiyoung/planetoid/master/data/ind.cora."
SHA256 = {
    "x": "23cfa55d91c6f624233f5eb7b6e3f141f1bd2b2ae39608a63cf5d084bb27baab",
    "y": "94465c14eb53e04ca262198dcbb2521ee8af60fb3f3d546cd6ca24a511b0e7d1",
    "tx": "b9afbaa4a400df991f6f02ef677e1e44da55ffc04801fd02f9e673987829226a",
    "ty": "41f5ac76596a1699cc33f53084a2419e92961c42bb75f36fc38e616d348532ad",
    "allx": "9419ba2f26f5c35243db64aba110e0f35a04851609e0dc5433450676ca6b8543",
    "ally": "2b998f5cc7fedc86e7f97ca2498f47a1ffc1462c29e2d578b23bf3f62b6e7d71",
    "graph": "58f13302f39dde8852dad6fe6d15b89b077b6d7f837626bce671ef80344b383d",
    "test.index": "297ce89af2b51a6a194181c7dbe1796c6a1cf9cd9349a88383b1b1e227867875",
}
# In the order of the numbers in the files, as the sizes of the classes tell.
CLASSES = (
    *("theory", "reinforcement learning", "genetic algorithms", "neural networks"),
    *("probabilistic methods", "case based", "rule learning"),
)

CARD = Card(
    title="Cora citation graph",
    task="node-classification",
    source="Sen et al. 2008 (LINQS); Planetoid split, Yang et al. 2016",
    licence="none stated; free for research, to be cited",
    counts={"train": 2708},
    shape=(1433,),
    files=tuple(File(f"ind.cora.{part}", digest, PLACE + part) for part, digest in SHA256.items()),
)


def read() -> GraphDataset:
    """Return the GraphDataset of all 2,708 papers, whose graph marks the public split.

    Raises InputError naming a file that is missing, altered or damaged.
    """
    from maquette.data.readers.planetoid import read_planetoid
    from maquette.data.source import describe, locate

    paths = locate("cora", CARD.files)
    graph = read_planetoid(next(iter(paths.values())).parent, "cora", CLASSES)
    return replace(dataset_of(graph, describe(paths)), name="cora")
