"""Overlap of regions and boxes, and average precision, against scikit-learn, painted boxes and brute force."""

import itertools

import numpy as np
import pytest
from sklearn import metrics

from maquette.errors import InputError
from maquette.methods.detection.average_precision import COCO, Boxes, average_precision
from maquette.methods.detection.box_overlap import areas, generalized_iou, iou
from maquette.methods.detection.region_overlap import confusion, region_overlap

CLASSES = 4


@pytest.fixture
def regions(random):
    """True and found classes of three pictures: (3, 9, 7) each, half of them right."""
    truth = random.integers(0, CLASSES, (3, 9, 7))
    return truth, np.where(random.random(truth.shape) < 0.5, truth, random.integers(0, CLASSES, truth.shape))


def test_overlap_of_regions_is_that_of_scikit_learn(regions):
    truth, found = regions
    measured = region_overlap(sum(confusion(a, b, CLASSES) for a, b in zip(truth, found, strict=True)))
    y, z = truth.ravel(), found.ravel()
    np.testing.assert_allclose(measured.iou, metrics.jaccard_score(y, z, average=None))
    np.testing.assert_allclose(measured.dice, metrics.f1_score(y, z, average=None))
    np.testing.assert_allclose(measured.recall, metrics.recall_score(y, z, average=None))
    assert measured.weighted_iou == pytest.approx(metrics.jaccard_score(y, z, average="weighted"))
    assert measured.accuracy == pytest.approx((y == z).mean())
    np.testing.assert_allclose(measured.dice, 2 * measured.iou / (1 + measured.iou))


def test_what_occurs_nowhere_and_what_is_ignored_does_not_count(regions):
    truth, found = regions
    kept = truth != 1
    left = region_overlap(confusion(truth, found, CLASSES + 1, ignore=1))
    alone = region_overlap(confusion(truth[kept], found[kept], CLASSES + 1))
    np.testing.assert_array_equal(left.iou, alone.iou)
    assert np.isnan(left.iou[CLASSES]) and left.mean_iou == pytest.approx(np.nanmean(left.iou))
    void = np.where(kept, truth, 255)
    np.testing.assert_array_equal(
        confusion(void, found, CLASSES, ignore=255), confusion(truth, found, CLASSES, ignore=1)
    )


@pytest.mark.parametrize(
    ("truth", "found", "what"),
    [([0, 1], [0], "shape"), ([0, 4], [0, 1], "class 4 of 4"), ([0, 1], [-1, 1], "class -1"), ([0.5], [0], "integers")],
)
def test_regions_that_are_none_are_refused(truth, found, what):
    with pytest.raises(InputError, match=what):
        confusion(np.array(truth), np.array(found), CLASSES)


def painted(box):
    picture = np.zeros((12, 12), bool)
    left, top, right, bottom = box
    picture[top:bottom, left:right] = True
    return picture


def test_overlap_of_boxes_is_that_of_their_pixels(random):
    corners = random.integers(0, 12, (8, 2, 2))
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    found, general = iou(boxes[:4], boxes), generalized_iou(boxes[:4], boxes)
    for i, j in itertools.product(range(4), range(8)):
        a, b = painted(boxes[i]), painted(boxes[j])
        either = (a | b).sum()
        assert found[i, j] == pytest.approx((a & b).sum() / either if either else 0.0)
        around = painted([*np.minimum(boxes[i], boxes[j])[:2], *np.maximum(boxes[i], boxes[j])[2:]]).sum()
        assert general[i, j] == pytest.approx(found[i, j] - ((around - either) / around if around else 0.0))
    with pytest.raises(InputError, match="box 1 "):
        areas([[0, 0, 1, 1], [2, 0, 1, 1]])


def test_the_area_of_a_list_is_what_its_definition_says(random):
    """One true box in each of 40 pictures, found in some, so that right and wrong are known beforehand."""
    right, scores = random.random(40) < 0.6, random.random(40)
    truth = [Boxes([[0, 0, 4, 4]], [3])] * 40
    found = [Boxes([[0, 0, 4, 4] if hit else [6, 6, 9, 9]], [3], [s]) for hit, s in zip(right, scores, strict=True)]
    hits = right[np.argsort(-scores)]
    points = [(hits[:k].mean(), hits[:k].sum() / 40) for k in range(1, 41)]

    def best(recall):
        return max((p for p, r in points if r >= recall - 1e-9), default=0.0)

    area = sum(best(i / 40) for i in range(1, 41)) / 40
    assert average_precision(truth, found).classes == {3: pytest.approx(area)}
    for count in (11, 101):
        wanted = np.mean([best(r) for r in np.linspace(0, 1, count)])
        assert average_precision(truth, found, points=count).mean == pytest.approx(wanted)


def test_a_true_box_is_found_once_and_by_the_surest():
    truth = [Boxes([[0, 0, 10, 10], [8, 0, 18, 10]], [0, 0])]
    twice = [Boxes([[0, 0, 10, 10], [0, 0, 10, 9], [8, 0, 18, 10]], [0, 0, 0], [0.9, 0.8, 0.7])]
    assert average_precision(truth, twice).mean == pytest.approx((1 + 2 / 3) / 2)
    moved = [Boxes([[0, 0, 10, 8]], [0], [0.9])]  # IoU 0.8 with the first
    assert average_precision(truth, moved, 0.8).mean == 0.5 and average_precision(truth, moved, 0.81).mean == 0
    assert average_precision(truth, moved, COCO, 101).mean == pytest.approx(0.7 * 51 / 101)
    other = [Boxes([[0, 0, 10, 10]], [1], [0.9])]
    assert average_precision(truth, other).classes == {0: 0.0}
    assert np.isnan(average_precision([Boxes([], [])], other).mean)


def test_the_order_of_pictures_and_the_scale_of_scores_do_not_matter(random):
    def some(scored):
        corner, size = random.uniform(0, 5, (6, 2)), random.uniform(2, 5, (6, 2))
        boxes = np.concatenate([corner, corner + size], axis=1)
        return Boxes(boxes, random.integers(0, 3, 6), random.random(6) if scored else ())

    truth, found = [some(False) for _ in range(9)], [some(True) for _ in range(9)]
    one = average_precision(truth, found, COCO)
    other = average_precision(truth[::-1], [b._replace(scores=3 * b.scores - 1) for b in found[::-1]], COCO)
    assert one.classes == pytest.approx(other.classes) and 0 < one.mean < 1
    assert average_precision(truth, [b._replace(scores=np.ones(6)) for b in truth], COCO).mean == pytest.approx(1)


@pytest.mark.parametrize(
    ("found", "what"),
    [
        ([], "0 pictures for 1"),
        ([Boxes([[0, 0, 1, 1]], [0])], "0 scores"),
        ([Boxes([[0, 0, 1, 1]], [0, 1], [0.5])], "1 boxes, 2 classes"),
        ([Boxes([[0, 0, 1, 1]], [0], [np.nan])], "picture 0"),
    ],
)
def test_finds_that_do_not_fit_are_refused(found, what):
    with pytest.raises(InputError, match=what):
        average_precision([Boxes([[0, 0, 1, 1]], [0])], found)
