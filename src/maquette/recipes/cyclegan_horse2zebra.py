"""Horses into zebras and back at 64 pixels a side, by networks of less than half of the published width.

For a GPU: inputs.size=128, model.filters=64, model.blocks=6, model.critic_filters=64,128,256,512.

Source: Zhu, Park, Isola, Efros (2017), "Unpaired image-to-image translation using cycle-consistent adversarial
networks", section 5 and appendix.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="cyclegan-horse2zebra",
    page="cyclegan",
    task="image-translation",
    data="horse2zebra",
    model={"filters": 24, "blocks": 4, "critic_filters": (32, 64, 128)},
    inputs={"augment": {"flip": True}},
    optimizer={
        "to_a": {"adam": {"learning_rate": 4e-4, "beta_1": 0.5}},
        "to_b": {"adam": {"learning_rate": 4e-4, "beta_1": 0.5}},
        "critic_a": {"adam": {"learning_rate": 4e-4, "beta_1": 0.5}},
        "critic_b": {"adam": {"learning_rate": 4e-4, "beta_1": 0.5}},
    },
    schedule="linear",
    batch_size=2,
    epochs=60,
    seeds=1,
    minutes=40,
    expect={"test_cycle_error_a": Expect(0.1, "required: horses come back with a tenth of the range as mean error")},
    tiny={"data": "tinted_shapes", "inputs.size": 8, "model.filters": 2, "model.blocks": 1, "epochs": 2},
)
