"""Recipes as the user asks for them: a name, other data, and `key=value` settings checked against types."""

import ast
import inspect
import typing
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from maquette import catalog
from maquette.core.recipe import Recipe
from maquette.errors import InputError, near

FIXED = ("name", "page", "expect", "tiny", "seeds", "minutes")
# What a page's own recipe becomes when it starts from pretrained weights: the network as published, its head trained.
TRANSFER: dict[str, Any] = {
    **{"model": {}, "inputs": {}, "optimizer": {"adam": 1e-3}, "schedule": "constant"},
    **{"batch_size": 32, "epochs": 20, "patience": 0, "expect": {}},
}
# The smallest and the largest value of a number, both allowed; NumPy takes no seed of more than 32 bits.
RANGES = {
    **{"batch_size": (0, None), "epochs": (1, None), "seed": (0, 2**31), "patience": (0, None)},
    **{"finetune_epochs": (0, None), "finetune_layers": (0, None), "finetune_rate": (0, None)},
    **{"validation": (0, 0.99), "test": (0, 0.99), "learning_rate": (0, None)},
}


def parse(pairs: Iterable[str]) -> dict[str, Any]:
    """["epochs=3", "model.hidden_units=64,32"] -> {"epochs": 3, "model.hidden_units": (64, 32)}."""
    settings = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise InputError(f"--set {pair}: write it as key=value, for example epochs=3")
        try:
            settings[key.strip()] = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError):
            settings[key.strip()] = text.strip()
    return settings


def resolve(name: str, data: str | None = None, settings: Mapping[str, Any] | None = None, task: str = "") -> Recipe:
    """The recipe to run: by name of a recipe or a model, on other data if given, with settings applied.

    Raises:
        InputError: for an unknown name, data set, task or setting, or a value of the wrong type.
    """
    recipe = catalog.recipe(name)
    if data is not None and data != recipe.data:
        recipe = replace(recipe, data=str(data), expect={})
    settings = dict(settings or {})
    task = str(settings.pop("task", task))
    if "data" in settings and settings["data"] != recipe.data:
        recipe = replace(recipe, data=str(settings.pop("data")), expect={})
    recipe = replace(recipe, task=task or _task_of(recipe))
    known = catalog.find(recipe.page, "models").facts["tasks"]
    if recipe.task not in known:
        catalog.find(recipe.task, "tasks")
        raise InputError(f"{recipe.page} is a model for {', '.join(known)}, not for {recipe.task}")
    if recipe.task != catalog.recipe(name).task:  # which had options of its own
        recipe = replace(
            recipe, inputs={k: v for k, v in recipe.inputs.items() if k in catalog.task(recipe.task).options}
        )
    return apply(transferred(recipe) if settings.get("pretrained") else recipe, settings)


def transferred(recipe: Recipe) -> Recipe:
    """The recipe as it is where pretrained weights are asked for: itself if it has some, else for a head on them."""
    return recipe if recipe.pretrained else replace(recipe, **TRANSFER)


def tiny(recipe: Recipe) -> Recipe:
    """The recipe shrunk to seconds, as tests run it."""
    small = dict(recipe.tiny)
    return apply(replace(recipe, data=str(small.pop("data", recipe.data)), expect={}), small)


def _task_of(recipe: Recipe) -> str:
    """The task of other data: what its card or its form says, if the model can do that, else the recipe's own."""
    known = catalog.find(recipe.page, "models").facts["tasks"]
    if recipe.data.replace("-", "_") in catalog.pages("data"):
        wanted = catalog.pages("data")[recipe.data.replace("-", "_")].facts["task"]
    elif Path(recipe.data).is_file():
        wanted = recipe.task if catalog.task(recipe.task).reads_a_file else "tabular-classification"
    else:
        return recipe.task
    if wanted in known:
        return str(wanted)
    own = catalog.task(recipe.task)
    if isinstance(own, type(catalog.task(wanted))) or wanted in own.takes_data_of:
        return recipe.task
    raise InputError(f"{recipe.page} is a model for {', '.join(known)}, and {recipe.data} is data for {wanted}")


def apply(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with settings such as {"epochs": 3, "model.hidden_units": (64,), "learning_rate": 0.1}."""
    for key, value in settings.items():
        recipe = _set(recipe, key, value)
    return recipe


def _set(recipe: Recipe, key: str, value: Any) -> Recipe:
    head, _, rest = key.partition(".")
    if head == "model" and rest:
        return replace(recipe, model={**recipe.model, rest: _model_argument(recipe, rest, value)})
    if head == "inputs" and rest:
        known = catalog.task(recipe.task).options
        option, _, entry = rest.partition(".")
        if entry and isinstance(known.get(option), Mapping):  # inputs.augment.flip=true is one entry of inputs.augment
            rest, value = option, {**recipe.inputs.get(option, {}), entry: value}
        if rest not in known:
            raise InputError(f"--set {key}: {recipe.task} has no such option; {near(rest, known)}")
        hint = catalog.task(recipe.task).option_types.get(rest, Any)
        return replace(recipe, inputs={**recipe.inputs, rest: checked(key, value, hint)})
    if head == "optimizer" and rest:
        return replace(recipe, optimizer=_with_optimizer(recipe.optimizer, rest, value))
    if key == "learning_rate":
        return _with_rate(recipe, value)
    hints = {k: v for k, v in typing.get_type_hints(Recipe).items() if k not in FIXED}
    if key not in hints or rest:
        known = [*hints, "learning_rate", *(f"model.{name}" for name in arguments(recipe.page))]
        raise InputError(f"--set {key}: there is no such setting; {near(key, known)}")
    return replace(recipe, **{key: checked(key, value, hints[key])})


def _with_optimizer(old: Mapping[str, Any], name: str, value: Any) -> Mapping[str, Any]:
    """`name` is an optimizer, or a player of a model with several networks, or PLAYER.OPTIMIZER."""
    checked(f"optimizer.{name}", value, float | dict[str, Any])
    player, _, inner = name.partition(".")
    if len(old) > 1 and player in old:
        return {**old, player: {inner: value} if inner else value}
    return {name: value}


def _with_rate(recipe: Recipe, value: Any) -> Recipe:
    rate = checked("learning_rate", value, float)
    if len(recipe.optimizer) != 1:
        each = " and ".join(f"optimizer.{player}.adam" for player in recipe.optimizer)
        raise InputError(f"--set learning_rate: the model has several optimizers; set {each} instead")
    ((name, old),) = recipe.optimizer.items()
    return replace(recipe, optimizer={name: {**old, "learning_rate": rate} if isinstance(old, Mapping) else rate})


def arguments(page: str) -> dict[str, Any]:
    """The constructor's arguments of a page's model and their types."""
    init = catalog.model_class(page).__init__
    hints = typing.get_type_hints(init)
    named = inspect.signature(init).parameters.values()
    return {p.name: hints.get(p.name, Any) for p in named if p.name != "self" and p.kind is not p.VAR_KEYWORD}


def _model_argument(recipe: Recipe, name: str, value: Any) -> Any:
    known = arguments(recipe.page)
    if name not in known:
        raise InputError(f"--set model.{name}: {recipe.page} has no such argument; {near(name, known)}")
    return checked(f"model.{name}", value, known[name])


def checked(key: str, value: Any, hint: Any) -> Any:
    """The value in the type of the hint; a single value stands for a sequence of one."""
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter(hint)
    if hint in (str, str | None) and isinstance(value, int | float):
        value = str(value)  # a column may be called 3
    try:
        return _in_range(key, adapter.validate_python(value))
    except ValidationError as error:
        if str(typing.get_origin(hint)).endswith("Sequence'>") and not isinstance(value, (str, tuple, list)):
            return checked(key, (value,), hint)
        reason = error.errors()[0]["msg"]
        raise InputError(f"--set {key}={value}: {reason[0].lower()}{reason[1:]}") from None


def _in_range(key: str, value: Any) -> Any:
    least, most = RANGES.get(key, (None, None))
    if (least is not None and not value >= least) or (most is not None and value > most):
        wanted = f"at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(f"--set {key}={value}: take {wanted}")
    return value


def names() -> list[str]:
    """The names of a recipe's settings."""
    return [f.name for f in fields(Recipe) if f.name not in FIXED]
