"""Linear regression: one neuron with identity activation, fitted by least squares.

Prediction  y = x.w + b                                   (batch, features) -> (batch, 1)
Loss        L = (1/m) sum_i (y_i - t_i)^2                 mean squared error over the batch
Rule        gradient descent, dL/dw = (2/m) X^T (y - t); on the full batch it converges for a learning rate
            below 2/lambda_max, lambda_max the largest eigenvalue of (2/m) A^T A with A = [X 1]
Closed form w, b = argmin |A w - t|^2, by `solve` with a rank-revealing least-squares factorisation

Weak against outliers (squared error) and blind to interactions and curvature: look at the residuals.

Source: Legendre (1805), "Nouvelles méthodes pour la détermination des orbites des comètes", appendix;
Hastie, Tibshirani, Friedman (2009), "The Elements of Statistical Learning", section 3.2.

Example:
    >>> import numpy as np
    >>> from maquette.models.linear.linear_regression import LinearRegression
    >>> model = LinearRegression()
    >>> model.solve(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0]))
    >>> np.round(model.predict(np.array([[3.0]]), verbose=0), 4).tolist()
    [[7.0]]
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from maquette.core.model import Model, learning_rule
from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="boston-linear",
    task="tabular-regression",
    data="boston_housing",
    optimizer={"sgd": 0.15},
    batch_size=0,
    epochs=1000,
    test=0.0,
    seeds=3,
    minutes=0.2,
    expect={
        "train_mse": Expect(
            21.894831, "least-squares minimum of the 506 x 13 table (normal equations)", "near", tolerance=1e-3
        )
    },
    tiny={"data": "diabetes", "epochs": 30},
)


@keras.saving.register_keras_serializable("maquette")
class LinearRegression(Model):
    """x: (batch, features), any real numbers, best standardised -> prediction: (batch, 1)."""

    tasks = ("tabular-regression",)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.neuron = layers.Dense(1, name="neuron", dtype="float32")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.neuron(x)

    @learning_rule
    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        error = ops.squeeze(y_pred, -1) - ops.cast(y, y_pred.dtype)  # (batch,)
        return ops.average(ops.square(error), weights=sample_weight)

    def solve(self, x: np.ndarray, y: np.ndarray) -> None:
        """Set the weights to the least-squares solution; x: (m, features), y: (m,). Of minimal norm if singular."""
        affine = np.column_stack([x, np.ones(len(x))]).astype("float64")
        solution = np.linalg.lstsq(affine, np.asarray(y, "float64"), rcond=None)[0]
        if not self.built:
            self.build(x.shape)
        self.neuron.kernel.assign(solution[:-1, None])
        self.neuron.bias.assign(solution[-1:])
