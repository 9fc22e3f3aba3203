"""House fronts with a map of their parts, 64 pixels a side or as asked: pairs of map (a) and photograph (b).

A map has one colour for walls, one for windows, one for doors, and so on. 260 pairs for training, the first of the 400
of the original by name, and all 106 for the test.

**Source:** R. Tylecek, R. Sara, *Spatial pattern templates for recognition of objects with regular structure*, 2013;
in the form of P. Isola, J.-Y. Zhu, T. Zhou, A. Efros, *Image-to-image translation with conditional adversarial
networks*, 2017.

**Weakness:** stored as JPEG more than once, which blurs the colours of the maps.
"""

from dataclasses import replace

from maquette.data.dataset import Card, Dataset, File

CARD = Card(
    title="CMP facades (maps and photographs, paired)",
    task="image-translation",
    source="R. Tylecek and R. Sara, 2013, Czech Technical University; paired by P. Isola and others, 2017",
    licence="none stated; given for research, cite Tylecek and Sara",
    counts={"train": 260, "test": 106},
    shape=(2, 64, 64, 3),
    files=(File("facades.zip", "fed0544dae48f0fe86645ef1c67d8ffb091243fd127aef3b950aca88a3933b80"),),
)


def read(size: int | None = None) -> Dataset:
    """Return the Dataset: x uint8 (n, 2, 64, 64, 3) or of the size asked for, at best 256; y int32 (n,), ones.

    Raises InputError naming a file that is missing, altered or damaged.
    """
    from maquette.data.readers.images import unpacked
    from maquette.data.readers.translation import read_pairs

    root, origin = unpacked("facades", CARD)
    data = read_pairs(root, size or 64)
    parts = {name: getattr(data, name) for name in ("train", "test")}
    flipped = {name: replace(part, x=part.x[:, ::-1]) for name, part in parts.items()}  # stored the other way round
    return replace(data, **flipped, name="facades", origin=origin)
