"""The network for photographs, layer by layer, against SciPy with the same weights."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import log_softmax
from tests.maths.test_vision import convolved, parameters, pooled, scatter

from maquette.models.vision.photo_cnn import PhotoCNN


def test_the_network_has_its_published_weights():
    model = PhotoCNN(classes=3)
    model.build((None, 64, 64, 3))
    assert parameters(model) == {
        **{"convolution_1": 1_792, "convolution_2": 73_856, "convolution_3": 295_168},
        **{"hidden_1": 8_389_120, "hidden_2": 262_656, "logits": 1_539},
    }
    assert model.count_params() == 9_024_131


@pytest.mark.parametrize("shape, side", [((16, 16, 3), (2, 2)), ((9, 21, 1), (2, 3))])
def test_any_picture_any_number_of_classes(shape, side, random):
    model = PhotoCNN(classes=4, filters=(3, 4, 5), hidden_units=(7, 6))
    model.build((None, *shape))
    w, x = scatter(model, random), random.normal(size=(2, *shape)).astype("float32")
    assert w["hidden_1/kernel"].shape == (side[0] * side[1] * 5, 7)
    answers = []
    for a in x.astype("float64"):
        for i in (1, 2, 3):
            name = f"convolution_{i}"
            a = pooled(np.maximum(convolved(a, w[f"{name}/kernel"], w[f"{name}/bias"], "same"), 0))
        h = a.ravel()
        for i in (1, 2):
            h = np.maximum(h.dot(w[f"hidden_{i}/kernel"]) + w[f"hidden_{i}/bias"], 0)
        answers.append(h.dot(w["logits/kernel"]) + w["logits/bias"])
    np.testing.assert_allclose(ops.convert_to_numpy(model(x)), answers, rtol=1e-4, atol=1e-4)
    y, weight = np.array([1, 3]), np.array([1.0, 3.0], "float32")
    surprise = -log_softmax(np.array(answers), axis=1)[[0, 1], y]
    found = model.compute_loss(x, ops.convert_to_tensor(y), model(x), ops.convert_to_tensor(weight))
    assert float(found) == pytest.approx((surprise[0] + 3 * surprise[1]) / 4, rel=1e-4)


def test_dropout_leaves_hidden_units_out_in_training_alone(random):
    keras.utils.set_random_seed(1)
    model = PhotoCNN(classes=2, filters=(2, 2, 2), hidden_units=(400, 300), dropout=0.5)
    model.build((None, 8, 8, 1))
    x = random.normal(size=(1, 8, 8, 1)).astype("float32")
    seen = {}
    for name, drop in zip(("first", "second"), model.drops):
        unit = ops.convert_to_numpy(drop(np.ones((1, 4000), "float32"), training=True))
        assert set(np.unique(unit)) == {0.0, 2.0}  # the kept ones carry the others' share
        seen[name] = (unit == 0).mean()
    assert all(0.45 < share < 0.55 for share in seen.values())
    calm, again = (ops.convert_to_numpy(model(x, training=False)) for _ in range(2))
    np.testing.assert_array_equal(calm, again)
    keras.utils.set_random_seed(0)
    assert not np.allclose(ops.convert_to_numpy(model(x, training=True)), calm)
