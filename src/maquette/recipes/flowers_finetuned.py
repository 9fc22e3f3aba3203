"""Five kinds of flowers: the head of flowers-transfer first, then the last layers too at a tenth of the rate.

Source: Pattanayak (2023), "Pro Deep Learning with TensorFlow 2.0", "Guidelines for using transfer learning".
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="flowers-finetuned",
    page="mobilenet_v2",
    task="image-classification",
    data="flowers5",
    pretrained="imagenet",
    optimizer={"adam": 1e-3},
    batch_size=32,
    epochs=34,
    finetune_epochs=4,
    finetune_layers=10,
    minutes=3,
    expect={"test_accuracy": Expect(0.8, "required: far above flowers-scratch", "at least")},
    tiny={"epochs": 2, "finetune_epochs": 1, "finetune_layers": 2},
)
