"""A PReLU spelled out: Relu, Abs, Neg, Add, Sub, Mul, Maximum and Minimum of one convolution's output.

Each such expression is a · z where z ≥ 0 and b · z where z < 0, channel by channel. So it is worked out as the pair
(a, b): |z| is (1, -1), max(z, 0) is (1, 0), and α (z − |z|) ½ is (0, α), exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..errors import WeightsError


class Sides(NamedTuple):
    """Slopes on both sides of zero: of one channel each, or one for all."""

    above: np.ndarray
    below: np.ndarray


#: The convolution's output itself.
PLAIN = Sides(np.ones(1, np.float32), np.ones(1, np.float32))
OPERATORS = (
    "Abs", "Add", "AddV2", "Div", "LeakyRelu", "Max", "Maximum", "Min", "Minimum", "Mul", "Neg", "RealDiv", "Relu",
    "Sub",
)  # fmt: skip


def combined(name: str, operator: str, values: list[Sides | np.ndarray], attributes: Mapping[str, Any]) -> Sides:
    """What an operator makes of such expressions and of constants (arrays).

    Raises
    ------
    WeightsError
        It makes something that is no pair of slopes: a constant is added, say.
    """
    sides = [value for value in values if isinstance(value, Sides)]
    constants = [value for value in values if not isinstance(value, Sides)]
    match operator, sides, constants:
        case "Abs", [x], []:
            return Sides(abs(x.above), -abs(x.below))
        case "Neg", [x], []:
            return Sides(-x.above, -x.below)
        case "Relu", [x], []:
            return _leaky(x, 0.0)
        case "LeakyRelu", [x], []:
            return _leaky(x, float(attributes["alpha"]))
        case (("Add" | "AddV2"), [x, y], []):
            return Sides(x.above + y.above, x.below + y.below)
        case "Sub", [x, y], []:
            return Sides(x.above - y.above, x.below - y.below)
        case (("Max" | "Maximum"), [x, y], []):
            return Sides(np.maximum(x.above, y.above), np.minimum(x.below, y.below))
        case (("Min" | "Minimum"), [x, y], []):
            return Sides(np.minimum(x.above, y.above), np.maximum(x.below, y.below))
        case (("Max" | "Maximum"), [x], [zero]) if not zero.any():
            return _leaky(x, 0.0)
        case (("Min" | "Minimum"), [x], [zero]) if not zero.any():
            return Sides(np.minimum(x.above, 0), np.maximum(x.below, 0))
        case "Mul", [x], [factor]:
            flat = _by_channel(name, factor)
            return Sides(x.above * flat, x.below * flat)
        case (("Div" | "RealDiv"), [x], [divisor]) if isinstance(values[0], Sides) and divisor.all():
            flat = _by_channel(name, divisor)
            return Sides(x.above / flat, x.below / flat)
    raise WeightsError(
        f"{name}, a {operator} of {len(sides)} activations and {len(constants)} constants, is no PReLU"
        "; an FSRCNN has PReLUs alone"
    )


def slope_of(name: str, sides: Sides) -> np.ndarray:
    """The PReLU's slope: one, or one a channel."""
    if not (sides.above == 1).all():
        raise WeightsError(f"{name} multiplies positive values by {sides.above.ravel()[0]:g}; a PReLU leaves them")
    return np.asarray(sides.below)


def _leaky(x: Sides, slope: float) -> Sides:
    # Where z < 0, a slope of b < 0 makes a positive value.
    above = np.where(x.above >= 0, x.above, slope * x.above)
    below = np.where(x.below <= 0, x.below, slope * x.below)
    return Sides(above.astype(x.above.dtype), below.astype(x.below.dtype))


def _by_channel(name: str, constant: np.ndarray) -> np.ndarray:
    if constant.size > 1 and max(constant.shape) != constant.size:
        raise WeightsError(f"{name} multiplies by {constant.shape}; one slope, or one a channel, is expected")
    return constant.reshape(-1)
