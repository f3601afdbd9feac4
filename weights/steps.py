"""Training steps of one run. On a graphics card a step is recorded once and replayed.

FSRCNN is so small that a card is done with each of a step's hundred kernels before Python has launched the next. A
CUDA graph launches them all at once. So nothing in a step may ask the card for a number: the patches of the epoch,
the rates and the place among them lie there.
"""

from __future__ import annotations

import argparse
import threading

import numpy as np
import torch
import torch.nn.functional as F
from patches import Pictures, batch
from torch import nn

FULL_CONTRAST_WEIGHT = 0.1  # of a black and white patch, whose error is some ten times a photograph's
RING = 2  # low-resolution pixels whose outputs lack features, and their neighbours
EAGER = 3  # steps of each kind that run before one is recorded: libraries set themselves up in them
RECORDING = threading.Lock()  # one run records at a time, where several train side by side


def border_loss(network: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The patch as an image of its own, with the border of inference; its outermost pixels count four times.

    A network that never saw a border uses all of its 9×9 kernel, and the features that it would need two pixels
    outside the image are not there: a flat picture then darkens at its last row and column.
    """
    squared = (network(x, border=True) - y) ** 2
    ring = RING * network.scale
    inside = squared[..., ring:-ring, ring:-ring].sum()
    return (4 * squared.sum() - 3 * inside) / squared.numel()


class Steps:
    """`options`: batch, clip, at_border, border_every, full_contrast, as train.py has them."""

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        pictures: Pictures,
        side: int,
        options: argparse.Namespace,
    ) -> None:
        self.network, self.optimizer, self.pictures, self.side, self.options = (
            network, optimizer, pictures, side, options,
        )  # fmt: skip
        device = pictures.low[0].device
        self.place = torch.zeros(1, dtype=torch.int64, device=device)
        self.total = torch.zeros((), dtype=torch.float64, device=device)
        self.order = torch.arange(options.batch, device=device)
        self.patches = self.factors = torch.empty(0, device=device)
        self.taken: dict[str, int] = {}
        self.recorded: dict[str, torch.cuda.CUDAGraph] = {}

    def begin(self, patches: np.ndarray, factors: np.ndarray) -> None:
        """An epoch's patches, and for each of its steps the factor on every rate."""
        new = torch.from_numpy(patches.astype(np.int64)), torch.from_numpy(factors.astype(np.float32))
        if not len(self.patches):
            device = self.place.device
            self.patches, self.factors = (torch.empty_like(each, device=device) for each in new)
        self.patches.copy_(new[0])
        self.factors.copy_(new[1])
        self.place.zero_()
        self.total.zero_()

    def kind(self, step: int) -> str:
        if self.options.full_contrast and step % 4 == 2:
            return "full contrast"
        return "border" if self.options.at_border and (step + 1) % self.options.border_every == 0 else "inside"

    def take(self, step: int) -> None:
        """The epoch's step of that number; they come in order."""
        kind, size = self.kind(step), min(self.options.batch, len(self.patches) - step * self.options.batch)
        self.taken[kind] = self.taken.get(kind, 0) + 1
        if not self.place.is_cuda or size < self.options.batch or self.taken[kind] <= EAGER:
            self._step(kind, size)
            return
        if kind not in self.recorded:
            with RECORDING:
                graph, stream = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
                with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                    self._step(kind, size)
                self.recorded[kind] = graph
        self.recorded[kind].replay()

    def _step(self, kind: str, size: int) -> None:
        factor = self.factors.index_select(0, self.place)[0]
        for group in self.optimizer.param_groups:
            group["lr"].copy_(group["rate"] * factor)
        loss = self._loss(kind, self.patches[self.place * self.options.batch + self.order[:size]])
        self.optimizer.zero_grad()
        loss.backward()
        if self.options.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.options.clip)
        self.optimizer.step()
        self.total += loss.detach()
        self.place += 1

    def _loss(self, kind: str, rows: torch.Tensor) -> torch.Tensor:
        if kind == "border":
            return border_loss(self.network, *batch(self.pictures, self.side, rows, target=self.side))
        x, y = batch(self.pictures, self.side, rows, full_contrast=kind == "full contrast")
        loss = F.mse_loss(self.network(x), y)
        return FULL_CONTRAST_WEIGHT * loss if kind == "full contrast" else loss
