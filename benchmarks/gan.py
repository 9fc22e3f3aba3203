"""Training speed of adversarial networks: `fit` of the pages and plain PyTorch, the same networks and batches.

    python benchmarks/gan.py [--case cyclegan-shapes] [--rounds 7] [--write]

A round is one epoch over the first items of the recipe's training split; rounds.py says how they alternate. Ours is the
page's model compiled by its recipe and trained by Keras's `fit`, without the run layer. PyTorch has the loop that its
own examples have: the critic's step, then the generator's against the new critic, whose weights are held; fused Adam,
channels last, and for CycleGAN a pool of fakes as lists. It runs eagerly and with the networks compiled, and the faster
of the two counts. All compute in float32 on all cores.
"""

import copy
import os
import random
from dataclasses import replace
from functools import partial

import numpy as np
from rounds import done, main, wait

# Recipe -> items of a round.
CASES = {"dcgan-mnist": 5120, "cyclegan-shapes": 120}


def prepared(case: str):
    """The recipe's pipeline on the items of a round; Keras runs on the backend that is fastest for the page."""
    from maquette import backend, catalog

    if "KERAS_BACKEND" not in os.environ:
        backend.choose("auto", page_of(case))
    from maquette import assembly

    recipe = replace(catalog.recipe(case), epochs=10_000, schedule="constant", validation=0.0, expect={})
    pipeline = assembly.prepare(recipe)
    train = pipeline.dataset.train.take(np.arange(CASES[case]))
    return replace(pipeline, dataset=replace(pipeline.dataset, train=train))


def maquette_rounds(case: str) -> None:
    """Train rounds for ever by `fit`."""
    pipeline = prepared(case)
    import keras

    from maquette import assembly

    class Rounds(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.started = wait()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            done(self.started)

    model = assembly.build(pipeline)
    model.fit(pipeline.training(), epochs=10_000, verbose=0, callbacks=[Rounds()])


def torch_rounds(case: str, compiled: bool) -> None:
    """Train rounds for ever with a plain PyTorch loop."""
    os.environ["KERAS_BACKEND"] = "torch"  # reading the recipe imports Keras, which must not bring another engine
    import torch

    pipeline = prepared(case)
    step = {"dcgan-mnist": dcgan_step, "cyclegan-shapes": cyclegan_step}[case](torch, pipeline.recipe, compiled)
    train = pipeline.dataset.train
    x = torch.from_numpy(2 * pipeline.encoder.transform(train.x) - 1).movedim(-1, -3)
    y, size = torch.from_numpy(np.asarray(train.y)).long(), pipeline.recipe.batch_size
    while True:
        started = wait()
        order = torch.randperm(len(x))
        for start in range(0, len(x), size):
            rows = order[start : start + size]
            step(x[rows], y[rows])
        done(started)


def adam(torch, networks, rate, beta_1):
    return torch.optim.Adam([w for n in networks for w in n.parameters()], rate, (beta_1, 0.999), fused=True)


def readied(torch, network, compiled):
    """The network with kernels of N(0, 0.02) in the memory layout that is fastest, and what is called of it."""
    for weight in network.parameters():
        if weight.ndim == 4:
            torch.nn.init.normal_(weight, 0, 0.02)
    network.to(memory_format=torch.channels_last)
    return network, torch.compile(network) if compiled else network


def holding(network, held: bool) -> None:
    for weight in network.parameters():
        weight.requires_grad_(not held)


def dcgan_step(torch, recipe, compiled):
    """Pictures (n, 1, 28, 28) and classes (n,) -> a step of both networks of models/adversarial/dcgan.py."""
    nn, functional = torch.nn, torch.nn.functional
    latent, (more, few), classes = recipe.model["latent_dim"], recipe.model["filters"], 10
    generator, generate = readied(
        torch,
        nn.Sequential(
            *(nn.Linear(latent + classes, 49 * more, bias=False), nn.Unflatten(1, (more, 7, 7))),
            *(nn.BatchNorm2d(more), nn.ReLU(), nn.ConvTranspose2d(more, few, 4, 2, 1, bias=False)),
            *(nn.BatchNorm2d(few), nn.ReLU(), nn.ConvTranspose2d(few, 1, 4, 2, 1), nn.Tanh()),
        ),
        compiled,
    )
    critic, judge = readied(
        torch,
        nn.Sequential(
            *(nn.Conv2d(1, few, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(few, more, 4, 2, 1, bias=False)),
            *(nn.BatchNorm2d(more), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(49 * more, classes)),
        ),
        compiled,
    )
    rates = {name: recipe.optimizer[name]["adam"] for name in ("generator", "critic")}
    moves, judges = (
        adam(torch, [network], rates[name]["learning_rate"], rates[name]["beta_1"])
        for name, network in (("generator", generator), ("critic", critic))
    )
    average = copy.deepcopy(generator)

    def step(x, y):
        z = torch.cat([torch.randn(len(x), latent), functional.one_hot(y, classes).float()], 1)
        fake, own = generate(z), y[:, None]
        loss = functional.softplus(-judge(x).gather(1, own)).mean()
        loss = loss + functional.softplus(judge(fake.detach()).gather(1, own)).mean()
        judges.zero_grad(set_to_none=True)
        loss.backward()
        judges.step()
        holding(critic, True)
        moves.zero_grad(set_to_none=True)
        functional.softplus(-judge(fake).gather(1, own)).mean().backward()
        moves.step()
        holding(critic, False)
        with torch.no_grad():
            torch._foreach_lerp_(list(average.parameters()), list(generator.parameters()), 1 - recipe.model["ema"])
        loss.item()  # as Keras reports it

    return step


def translator(nn, filters, blocks):
    """The residual network of models/adversarial/cyclegan.py."""

    class Block(nn.Module):
        def __init__(self, maps: int) -> None:
            super().__init__()
            half = [nn.ReflectionPad2d(1), nn.Conv2d(maps, maps, 3), nn.InstanceNorm2d(maps)]
            again = [nn.ReflectionPad2d(1), nn.Conv2d(maps, maps, 3), nn.InstanceNorm2d(maps)]
            self.inner = nn.Sequential(*half, nn.ReLU(), *again)

        def forward(self, x):
            return x + self.inner(x)

    parts = [nn.ReflectionPad2d(3), nn.Conv2d(3, filters, 7), nn.InstanceNorm2d(filters), nn.ReLU()]
    for maps in (filters, 2 * filters):
        parts += [nn.Conv2d(maps, 2 * maps, 3, 2, 1), nn.InstanceNorm2d(2 * maps), nn.ReLU()]
    parts += [Block(4 * filters) for _ in range(blocks)]
    for maps in (4 * filters, 2 * filters):
        up = nn.ConvTranspose2d(maps, maps // 2, 3, 2, 1, output_padding=1)
        parts += [up, nn.InstanceNorm2d(maps // 2), nn.ReLU()]
    return nn.Sequential(*parts, nn.ReflectionPad2d(3), nn.Conv2d(filters, 3, 7), nn.Tanh())


def patches(nn, filters):
    """The critic of models/adversarial/_patches.py."""
    parts, before = [], 3
    for i, maps in enumerate(filters):
        last = i + 1 == len(filters)
        parts += (
            [nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(before, maps, 4)] if last else [nn.Conv2d(before, maps, 4, 2, 1)]
        )
        parts += [nn.InstanceNorm2d(maps)] if i else []
        parts, before = [*parts, nn.LeakyReLU(0.2)], maps
    return nn.Sequential(*parts, nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(before, 1, 4))


class Pool:
    """Earlier fakes; every second new one is changed for one of them."""

    def __init__(self, torch, size: int) -> None:
        self.torch, self.size, self.kept = torch, size, []

    def shown(self, fakes):
        shown = []
        for fake in fakes:
            if len(self.kept) < self.size:
                self.kept.append(fake)
            elif random.random() < 0.5:
                place = random.randrange(self.size)
                fake, self.kept[place] = self.kept[place], fake
            shown.append(fake)
        return self.torch.stack(shown)


def cyclegan_step(torch, recipe, compiled):
    """One batch of items (n, 2, 3, height, width) -> a step of all four networks of models/adversarial/cyclegan.py."""
    nn, sizes = torch.nn, recipe.model
    (to_b, there), (to_a, back) = (
        readied(torch, translator(nn, sizes["filters"], sizes["blocks"]), compiled) for _ in range(2)
    )
    (critic_a, judge_a), (critic_b, judge_b) = (
        readied(torch, patches(nn, sizes["critic_filters"]), compiled) for _ in range(2)
    )
    rate = recipe.optimizer["to_a"]["adam"]
    moves, judges = (
        adam(torch, networks, rate["learning_rate"], rate["beta_1"])
        for networks in ((to_a, to_b), (critic_a, critic_b))
    )
    pools = Pool(torch, 50), Pool(torch, 50)

    def step(x, y):
        a, b = (x[:, i].contiguous(memory_format=torch.channels_last) for i in (0, 1))
        fake_b, fake_a = there(a), back(b)
        for critic in (critic_a, critic_b):
            holding(critic, True)
        moves.zero_grad(set_to_none=True)
        loss = (judge_b(fake_b) - 1).square().mean() + (judge_a(fake_a) - 1).square().mean()
        loss = loss + 10 * ((back(fake_b) - a).abs().mean() + (there(fake_a) - b).abs().mean())
        loss.backward()
        moves.step()
        total = loss.item()  # as Keras reports it
        judges.zero_grad(set_to_none=True)
        for critic, judge, real, fake, pool in (
            (critic_a, judge_a, a, fake_a, pools[0]),
            (critic_b, judge_b, b, fake_b, pools[1]),
        ):
            holding(critic, False)
            seen = pool.shown(fake.detach())
            loss = ((judge(real) - 1).square().mean() + judge(seen).square().mean()) / 2
            loss.backward()
            total += loss.item()
        judges.step()

    return step


def page_of(case: str) -> str:
    """The page of a recipe's model."""
    from maquette import catalog

    return catalog.model_of(catalog.recipe_page(case))


if __name__ == "__main__":
    workers = {
        "maquette": maquette_rounds,
        "torch eager": partial(torch_rounds, compiled=False),
        "torch compiled": partial(torch_rounds, compiled=True),
    }
    peers = [["torch eager", "torch compiled"]]
    main("gan", __doc__.splitlines()[0], CASES, workers, peers, page_of)
