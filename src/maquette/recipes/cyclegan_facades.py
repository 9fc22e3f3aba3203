"""Maps of house fronts into photographs and back at 64 pixels a side, learnt without the pairs and scored on them.

The training photographs are shuffled against their maps. With `pix2pix-facades`, which is told the pairs, it shows
what they are worth.

Source: Zhu, Park, Isola, Efros (2017), "Unpaired image-to-image translation using cycle-consistent adversarial
networks", sections 5.1.3 and 5.2.
"""

from maquette.core.recipe import Expect, Recipe

RECIPE = Recipe(
    name="cyclegan-facades",
    page="cyclegan",
    task="image-translation",
    data="facades",
    model={"filters": 24, "blocks": 4, "critic_filters": (32, 64, 128)},
    inputs={"augment": {"flip": True}, "pairs": "break"},
    optimizer={
        "to_a": {"adam": {"learning_rate": 4e-4, "beta_1": 0.5}},
        "to_b": {"adam": {"learning_rate": 4e-4, "beta_1": 0.5}},
        "critic_a": {"adam": {"learning_rate": 4e-4, "beta_1": 0.5}},
        "critic_b": {"adam": {"learning_rate": 4e-4, "beta_1": 0.5}},
    },
    schedule="linear",
    batch_size=2,
    epochs=40,
    seeds=1,
    minutes=35,
    expect={"test_cycle_error_a": Expect(0.1, "required: maps come back with a tenth of the range as mean error")},
    tiny={"data": "tinted_shapes", "inputs.size": 8, "model.filters": 2, "model.blocks": 1, "epochs": 2},
)
