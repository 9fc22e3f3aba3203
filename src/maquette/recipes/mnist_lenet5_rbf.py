"""LeNet-5 as in 1998, output layer included: the distances of F6 to a fixed code of each class.

Source: LeCun, Bottou, Bengio, Haffner (1998), "Gradient-based learning applied to document recognition", section II.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="mnist-lenet5-rbf",
    page="lenet5",
    task="image-classification",
    data="mnist",
    model={"style": "1998", "rbf_output": True},
    optimizer={"adam": 1e-3},
    schedule="cosine",
    batch_size=128,
    epochs=20,
    minutes=3,
    expect={"test_error": Expect(0.0095, "0.95 % in LeCun et al. (1998), figure 9, without distortions")},
    tiny={"data": "digits", "inputs.size": 28, "epochs": 3},
)
