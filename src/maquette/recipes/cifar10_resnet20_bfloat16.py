"""ResNet-20 on CIFAR-10 in bfloat16, where processors that multiply in it have time for more epochs in 20 minutes.

Source: He, Zhang, Ren, Sun (2016), "Deep residual learning for image recognition", section 4.2; Micikevicius et al.
(2018), "Mixed precision training".
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="cifar10-resnet20-bfloat16",
    page="resnet",
    task="image-classification",
    data="cifar10",
    inputs={"augment": {"flip": True, "shift": 4}},
    optimizer={"sgd": {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 5e-3}},
    schedule="cosine",
    precision="mixed_bfloat16",
    epochs=20,
    seeds=1,
    minutes=18,
    expect={
        "test_accuracy": Expect(0.85, "required; 0.9125 in He et al. (2016), table 6, after 164 epochs", "at least")
    },
    tiny={
        "data": "digits",
        "inputs.augment": {},
        "model.depth": 8,
        "model.width": 4,
        "optimizer": {"sgd": 0.05},
        "precision": "float32",
        "epochs": 3,
    },
)
