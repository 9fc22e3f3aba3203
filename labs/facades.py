"""Parts of house fronts, found pixel by pixel, and how well: pixels that are right, overlap of regions, and boxes.

    MAQUETTE_DATA=... python labs/facades.py [--size 128] [--pixels 100] [--out runs/facades]

A boosted forest tells the part of a pixel from its colour, from what is around it at three scales, and from its place
in the picture; it is trained on some pixels of each of the 260 photographs. On the 106 of the test it is measured by
`region_overlap`. Windows, as connected regions, are boxes, as sure as their mean probability, and are measured by
`average_precision`. Beside it stands the answer "wall" for every pixel. Writes facades.png.

What to see: the accuracy hardly tells the two apart, the mean overlap does; and windows that run into each other are
right as pixels but not as boxes.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from maquette.methods.detection.average_precision import COCO, Boxes, average_precision
from maquette.methods.detection.region_overlap import confusion, region_overlap
from maquette.methods.image.gaussian_filter import gaussian_filter
from maquette.methods.image.sobel import sobel
from maquette.tasks.figure import canvas

PARTS = ("ground", "wall", "window", "door", "ornament", "shop")
COLOURS = {  # of the twelve kinds of the maps, and the part that each is here
    **{(0, 0, 222): 0, (0, 48, 255): 1, (0, 127, 255): 2, (0, 207, 255): 3, (175, 0, 0): 5},
    **dict.fromkeys([(32, 255, 223), (111, 255, 143), (191, 255, 64), (255, 239, 0)], 4),
    **dict.fromkeys([(255, 159, 0), (255, 80, 0), (255, 0, 0)], 4),
}
NEAR = 40  # how far a pixel may be from a colour
WINDOW, SMALLEST = 2, 12  # pixels of a region that counts as a box


def parts(maps: np.ndarray, size: int) -> np.ndarray:
    """Coloured maps (n, 256, 256, 3) -> parts: (n, size, size)."""
    kinds, step = np.array(list(COLOURS.values())), maps.shape[1] // size
    found = []
    for one in maps.astype(np.float32):
        distance = np.array([np.square(one - colour).sum(axis=-1) for colour in COLOURS])
        mixed = distance.min(axis=0) > NEAR**2  # at the edges, by compression: as the nearest pixel that is sure
        row, column = ndimage.distance_transform_edt(mixed, return_distances=False, return_indices=True)
        found.append(kinds[distance.argmin(axis=0)][row, column][step // 2 :: step, step // 2 :: step])
    return np.array(found)


def features(photograph: np.ndarray) -> np.ndarray:
    """A photograph (height, width, 3) -> what is known of each pixel: (height * width, 17)."""
    x = photograph.astype(np.float32) / 255
    grey = x.mean(axis=-1)
    blurred = [gaussian_filter(x, sigma, truncate=3.0) for sigma in (1.0, 3.0, 8.0)]
    edges = [np.abs(sobel(grey, part)) for part in ("x", "y")]
    around = [gaussian_filter(edge, 2.0) for edge in edges]
    places = np.meshgrid(*(np.linspace(0, 1, size) for size in grey.shape), indexing="ij")
    layers = [*np.moveaxis(x, -1, 0), *(part for b in blurred for part in np.moveaxis(b, -1, 0)), *around, *places]
    return np.stack([np.ravel(layer) for layer in layers], axis=1).astype(np.float32)


def windows(labels: np.ndarray, sure: np.ndarray | None = None) -> Boxes:
    """The boxes of the regions of windows in labels (height, width), with their mean probability if that is given."""
    numbered, _ = ndimage.label(labels == WINDOW)
    kept = [(s, numbered[s] == i) for i, s in enumerate(ndimage.find_objects(numbered), 1)]
    kept = [(s, region) for s, region in kept if region.sum() >= SMALLEST]
    boxes = [(s[1].start, s[0].start, s[1].stop, s[0].stop) for s, _ in kept]
    scores = [] if sure is None else [float(sure[s][region].mean()) for s, region in kept]
    return Boxes(boxes, [WINDOW] * len(boxes), scores)


def page(shown: list[list[np.ndarray]], out: Path) -> None:
    """Photograph, true and found parts of some houses."""
    picture, axes = canvas(11, 8, nrows=3, ncols=len(shown))
    for column, house in zip(axes.T, shown, strict=True):
        for one, image, title in zip(column, house, ("photograph", "true parts", "found parts"), strict=True):
            one.imshow(image, cmap=None if image.ndim == 3 else "viridis", vmin=0, vmax=len(PARTS) - 1)
            one.set(title=title, xticks=[], yticks=[])
    out.mkdir(parents=True, exist_ok=True)
    picture.savefig(out / "facades.png", dpi=100)
    print(f"\n{out / 'facades.png'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=128, choices=(64, 128))
    parser.add_argument("--pixels", type=int, default=100, help="of each photograph, to learn from")
    parser.add_argument("--out", type=Path, default=Path("runs/facades"))
    given = parser.parse_args()
    from sklearn.ensemble import HistGradientBoostingClassifier

    from maquette import printing
    from maquette.data.facades import read

    data, maps, random = read(given.size), read(256), np.random.default_rng(0)
    x, y = [], []
    for item, truth in zip(data.train.x, parts(maps.train.x[:, 0], given.size), strict=True):
        chosen = random.choice(given.size**2, given.pixels, replace=False)
        x.append(features(item[1])[chosen])
        y.append(truth.ravel()[chosen])
    forest = HistGradientBoostingClassifier(max_iter=60, random_state=0).fit(np.concatenate(x), np.concatenate(y))

    truths, founds, counts = [], [], {"forest": 0, "all wall": 0}
    shown: list[list[Any]] = []
    for item, truth in zip(data.test.x, parts(maps.test.x[:, 0], given.size), strict=True):
        p = forest.predict_proba(features(item[1])).reshape(given.size, given.size, -1)
        found = forest.classes_[p.argmax(axis=-1)]
        counts["forest"] += confusion(truth, found, len(PARTS))
        counts["all wall"] += confusion(truth, np.ones_like(truth), len(PARTS))
        truths.append(windows(truth))
        founds.append(windows(found, p[..., list(forest.classes_).index(WINDOW)]))
        if len(shown) < 5:
            shown.append([item[1], truth, found])

    rows = [(name, region_overlap(matrix)) for name, matrix in counts.items()]
    fields = ("accuracy", "mean_recall", "mean_iou", "mean_dice", "weighted_iou")
    printing.table([{"parts": n, **{f: round(getattr(o, f), 3) for f in fields}} for n, o in rows], False)
    print()
    printing.table([{"iou of": n, **dict(zip(PARTS, o.iou.round(3).tolist(), strict=True))} for n, o in rows], False)
    print()
    kinds = {"at 0.5": (0.5, None), "at 0.5, 11 points": (0.5, 11), "at 0.75": (0.75, None), "COCO's": (COCO, 101)}
    values = {name: round(average_precision(truths, founds, *kind).mean, 3) for name, kind in kinds.items()}
    boxes = {"true": sum(len(one.boxes) for one in truths), "found": sum(len(one.boxes) for one in founds)}
    printing.table([{"windows": "average precision", **values, **boxes}], False)
    page(shown, given.out)


if __name__ == "__main__":
    main()
