"""Adam in the eigenbasis of each layer's gradients (SOAP: Vyas et al. 2024, arXiv 2409.11321, algorithm 3).

FSRCNN is small and badly conditioned: neighbouring pixels of a photograph are nearly equal, and so are many of its
features. Adam, which scales each parameter alone, follows such a valley slowly. Here each layer is one matrix,
[weights | bias | slope] with a row for each feature map that it makes; the gradient is turned into the eigenvectors
of its running row and column covariances, Adam's second moment is kept there, and the step is turned back. At this
size that costs a tenth of a training step.
"""

from __future__ import annotations

from typing import Any

import torch


class Soap(torch.optim.Optimizer):
    """One parameter group a layer: the first tensor's rows are the layer's, every other tensor adds columns.

    `step` only takes the step; `turn_when_due` belongs after it, since QR cannot be recorded with a step (steps.py).
    """

    def __init__(
        self,
        layers: list[dict[str, Any]],
        *,
        betas: tuple[float, float] = (0.95, 0.95),
        turn_every: int = 10,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(layers, {"lr": 0.0, "betas": betas, "turn_every": turn_every, "eps": eps})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            parameters = group["params"]
            rows = parameters[0].shape[0]
            gradient = torch.cat([p.grad.reshape(rows, -1) for p in parameters], 1)
            beta1, beta2 = group["betas"]
            update = layer_step(self.state[parameters[0]], gradient, beta1, beta2, group["eps"])
            columns = [p.numel() // rows for p in parameters]
            for p, part in zip(parameters, update.split(columns, 1), strict=True):
                p.sub_(part.reshape(p.shape) * group["lr"])

    @torch.no_grad()
    def turn_when_due(self, steps: int) -> None:
        """Turn the bases after every `turn_every`th of the run's steps."""
        for group in self.param_groups:
            if steps > 1 and (steps - 1) % group["turn_every"] == 0:
                turn_bases(self.state[group["params"][0]])


def layer_step(state: dict[str, Any], gradient: torch.Tensor, beta1: float, beta2: float, eps: float) -> torch.Tensor:
    """The step of one layer, (rows, columns); the very first gradient only sets up the bases."""
    outer = {"rows": gradient @ gradient.T, "columns": gradient.T @ gradient}
    if not state:
        state |= {name: torch.zeros_like(gradient) for name in ("first", "second")}
        state["steps"] = gradient.new_zeros(())
        for side, product in outer.items():
            state[f"{side}_covariance"] = product
            state[f"{side}_basis"] = torch.linalg.eigh(product).eigenvectors
        return state["first"]
    state["steps"] += 1
    left, right = state["rows_basis"], state["columns_basis"]
    state["first"].lerp_(gradient, 1 - beta1)
    turned = left.T @ gradient @ right
    state["second"].mul_(beta2).addcmul_(turned, turned, value=1 - beta2)
    first = left.T @ state["first"] @ right / (1 - beta1 ** state["steps"])
    second = state["second"] / (1 - beta2 ** state["steps"])
    step = left @ (first / (second.sqrt() + eps)) @ right.T
    for side, product in outer.items():
        state[f"{side}_covariance"].lerp_(product, 1 - beta2)
    return step


def turn_bases(state: dict[str, Any]) -> None:
    """One power iteration towards the eigenvectors, which keeps each near its old self; largest eigenvalue first."""
    for axis, side in enumerate(("rows", "columns")):
        basis, covariance = state[f"{side}_basis"], state[f"{side}_covariance"]
        order = torch.einsum("ij,ik,kj->j", basis, covariance, basis).argsort(descending=True)
        state["second"].copy_(state["second"].index_select(axis, order))
        basis.copy_(torch.linalg.qr(covariance @ basis[:, order]).Q)
