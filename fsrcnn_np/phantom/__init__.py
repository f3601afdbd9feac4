"""Digital breasts with known truth; the steps and their sources are in docs/phantom.md."""

from .calcifications import Calcification
from .draw import Parameters, Phantom, Truth, phantom, truth

__all__ = ["Calcification", "Parameters", "Phantom", "Truth", "phantom", "truth"]
