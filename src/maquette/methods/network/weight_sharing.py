"""Weight sharing: what a convolution costs beside a layer without sharing and one that connects everything.

    P output positions, T taps of the kernel, C_in input channels in G groups, C_out feature maps, N input pixels

    layer              weights                          multiply-adds           connects
    convolution        T C_in C_out / G + C_out         P T C_in C_out / G      neighbours, the same kernel everywhere
    locally connected  P (T C_in C_out / G + C_out)     P T C_in C_out / G      neighbours, a kernel for each position
    dense              N C_in P C_out + P C_out         N C_in P C_out          every pixel with every unit

Sparse connection and sharing are two savings: the first lowers the multiply-adds, the second only the weights.

Source: LeCun et al. (1989), "Backpropagation applied to handwritten zip code recognition"; Goodfellow, Bengio,
Courville (2016), "Deep learning", section 9.2.

Example:
    >>> from maquette.methods.network.weight_sharing import weight_sharing
    >>> for layer, cost in weight_sharing((28, 28, 1), 32, 3).items():
    ...     print(f"{layer:18} {cost.weights:>12,} {cost.multiply_adds:>12,}")
    convolution                 320      194,688
    locally connected       216,320      194,688
    dense                16,981,120   16,959,488
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maquette.errors import InputError
from maquette.methods.network.convolution_arithmetic import output_length
from maquette.methods.network.windows import per_axis
from maquette.methods.signal.signals import count


@dataclass(frozen=True)
class Cost:
    """Weights with biases, and multiply-adds of one example."""

    weights: int
    multiply_adds: int


def weight_sharing(
    shape: Sequence[int],
    filters: int,
    kernel: Any = 3,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
    bias: bool = True,
) -> dict[str, Cost]:
    """The costs of three layers that make the same feature maps of one input.

    Args:
        shape: of one input, (length..., channels): one, two or three axes and the channels.
        filters: C_out, feature maps.
        kernel, stride, padding, dilation: of every axis, or one for each as a list.
        groups: into which channels and feature maps are split; each map sees its own group.
        bias: whether every map has one.

    Raises:
        InputError: for groups that do not divide channels and filters, or a kernel larger than the input.
    """
    *lengths, channels = (count(n, "shape") for n in shape)
    if channels % count(groups, "groups") or count(filters, "filters") % groups:
        raise InputError(f"groups {groups}: {channels} channels and {filters} filters do not split into so many")
    axes = [per_axis(v, len(lengths), n) for v, n in ((kernel, "kernel"), (stride, "stride"), (dilation, "dilation"))]
    pads = list(padding) if isinstance(padding, list) else [padding] * len(lengths)
    places = math.prod(output_length(n, k, s, p, d) for n, k, s, p, d in zip(lengths, *axes[:2], pads, axes[2]))
    own = math.prod(axes[0]) * channels * filters // groups
    every = math.prod(lengths) * channels * places * filters
    extra = filters if bias else 0
    return {
        "convolution": Cost(own + extra, places * own),
        "locally connected": Cost(places * (own + extra), places * own),
        "dense": Cost(every + places * extra, every),
    }


METHOD = weight_sharing
