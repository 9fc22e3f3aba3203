"""Photographs of horses and of zebras that have nothing to do with each other, 64 pixels a side or as asked.

180 of each for training, an even selection of the 1,067 and 1,334 of the original; the test sets of 120 and 140 are
whole. a are the horses.

**Source:** J.-Y. Zhu, T. Park, P. Isola, A. Efros, *Unpaired image-to-image translation using cycle-consistent
adversarial networks*, 2017; photographs from ImageNet.

**Weakness:** a seventh of the pictures that the published results were trained on.
"""

from dataclasses import replace

from maquette.data.dataset import Card, Dataset, File

CARD = Card(
    title="Horses and zebras (photographs, unpaired)",
    task="image-translation",
    source="J.-Y. Zhu and others, 2017, from ImageNet",
    licence="non-commercial research only, as the authors say",
    counts={"train": 180, "test": 140},
    shape=(2, 64, 64, 3),
    files=(File("horse2zebra_subset.zip", "a332a69637902697746099025d2ac90c2ad94613e565c49e1928397d0ff1642c"),),
)


def read(size: int | None = None) -> Dataset:
    """Return the Dataset: x uint8 (n, 2, 64, 64, 3) or of the size asked for, at best 256; y int32 (n,), zeros.

    Raises InputError naming a file that is missing, altered or damaged.
    """
    from maquette.data.readers.images import unpacked
    from maquette.data.readers.translation import read_pairs

    root, origin = unpacked("horse2zebra", CARD)
    return replace(read_pairs(root, size or 64, channels=3), name="horse2zebra", origin=origin)
