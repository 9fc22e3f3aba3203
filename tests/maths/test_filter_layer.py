"""Fixed filters as a layer: equal to the functions, kept by a saved model, transparent to gradients."""

import keras
import numpy as np
import pytest
from keras import ops

from maquette.errors import InputError
from maquette.layers.filters import BORDERS as LAYER_BORDERS
from maquette.layers.filters import FixedFilter
from maquette.methods.image.gaussian_filter import gaussian_kernel
from maquette.methods.image.gradients import SCHEMES
from maquette.methods.image.linear_filter import KERNELS, linear_filter
from maquette.methods.signal.signals import BORDERS


def test_the_layer_equals_the_function_for_every_border(random):
    assert set(LAYER_BORDERS) == set(BORDERS)
    x = random.random((2, 9, 7, 3)).astype("float32")
    for kernel in (random.normal(size=(5, 3)), np.outer(gaussian_kernel(0.7), gaussian_kernel(0.7)), np.ones((1, 1))):
        for border in BORDERS:
            y = ops.convert_to_numpy(FixedFilter(kernel, border, 0.3)(x))
            np.testing.assert_allclose(y, linear_filter(x, kernel, border, 0.3, batch=True), atol=1e-5)


def test_the_layer_of_several_kernels_in_a_saved_model(random, tmp_path):
    kernels = np.stack([KERNELS["identity"], KERNELS["laplacian"], SCHEMES["sobel"][0]])
    inputs = keras.Input((None, None, 2))
    layer = FixedFilter(kernels, "mirror", name="edges")
    model = keras.Model(inputs, keras.layers.Conv2D(1, 1, name="mix")(layer(inputs)))
    assert layer.weights == [] and layer.trainable is False
    x = random.random((2, 8, 6, 2)).astype("float32")
    y = ops.convert_to_numpy(layer(x))
    for c in range(2):
        for m, kernel in enumerate(kernels):
            wanted = linear_filter(x[0, :, :, c].astype(float), kernel, "mirror")
            np.testing.assert_allclose(y[0, :, :, 3 * c + m], wanted, atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
    assert again.get_layer("edges").get_config() == layer.get_config()
    # What is learned before it gets gradients through it.
    before = keras.Sequential([keras.Input((8, 6, 2)), keras.layers.Conv2D(2, 1, name="before"), layer])
    before.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    start = ops.convert_to_numpy(before.layers[0].kernel).copy()
    before.fit(x, np.zeros_like(y), verbose=0)
    assert np.abs(ops.convert_to_numpy(before.layers[0].kernel) - start).max() > 1e-4


def test_the_layer_refuses_wrong_kernels():
    for call, says in (
        (lambda: FixedFilter(np.ones((2, 3))), "kernel has the shape (2, 3)"),
        (lambda: FixedFilter(np.full((3, 3), np.nan)), "holds NaN"),
        (lambda: FixedFilter(np.ones((3, 3)), "warp"), "did you mean 'wrap'"),
        (lambda: FixedFilter(np.ones((5, 5)))(np.ones((1, 4, 9, 1), "float32")), "exceeds pictures of 4x9"),
    ):
        with pytest.raises(InputError) as error:
            call()
        assert says in str(error.value)
