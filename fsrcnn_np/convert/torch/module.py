"""FSRCNN as a PyTorch module that loads what `fsrcnn-np weights convert MODEL OUT.pth --with-module` writes.

    network = FSRCNN.load("OUT.pth")
    high = network(low)          # (N, channels, H, W) in [0, 1] → (N, channels, scale · H, scale · W)

Needs PyTorch only, so a copy of this file beside the weights is all that a user of them needs.
"""

from __future__ import annotations

import json
from os import PathLike
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


class FSRCNN(nn.Module):
    """FSRCNN(d, s, m), Dong, Loy, Tang, ECCV 2016.

    Parameters
    ----------
    d, s, m, scale : int
    border : {"zero", "replicate"}
        What every layer sees outside the image. Under "replicate" the deconvolution sees one replicated row and
        column of features, and nothing beyond, as in the FSRCNN authors' release.
    deconvolution_offset : int
        Output row r = scale · i + k − offset for feature row i and kernel row k.
    input_mean : float
        Subtracted from the input.
    slopes : sequence of int, optional
        Slopes of each PReLU, 1 or its number of channels; one a channel by default.
    channels : int
        Of the picture: 1 for grey, 3 for red, green, blue.
    """

    def __init__(
        self,
        d: int,
        s: int,
        m: int,
        scale: int,
        *,
        border: str = "zero",
        deconvolution_offset: int = 4,
        input_mean: float = 0.0,
        slopes: list[int] | None = None,
        channels: int = 1,
    ):
        super().__init__()
        if border not in ("zero", "replicate"):
            raise ValueError(f"border is {border!r}; allowed are 'zero' and 'replicate'")
        self.scale, self.border, self.offset, self.input_mean = scale, border, deconvolution_offset, input_mean
        each = iter(slopes or [d, *[s] * (m + 1), d])

        def block(given: int, out: int, size: int) -> list[nn.Module]:
            mode = "replicate" if border == "replicate" else "zeros"
            convolution = nn.Conv2d(given, out, size, padding=size // 2, padding_mode=mode)
            return [convolution, nn.PReLU(next(each))]

        self.feature_extraction = nn.Sequential(*block(channels, d, 5))
        self.shrink = nn.Sequential(*block(d, s, 1))
        self.map = nn.Sequential(*(layer for _ in range(m) for layer in block(s, s, 3)))
        self.expand = nn.Sequential(*block(s, d, 1))
        self.deconv = nn.ConvTranspose2d(d, channels, 9, stride=scale, padding=4, output_padding=scale - 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, channels, H, W) → (N, channels, scale · H, scale · W); nothing is clipped."""
        height, width = (self.scale * n for n in x.shape[-2:])
        x = self.expand(self.map(self.shrink(self.feature_extraction(x - self.input_mean))))
        crop = self.offset
        if self.border == "replicate":
            x, crop = F.pad(x, (1, 1, 1, 1), mode="replicate"), crop + self.scale
        x = F.conv_transpose2d(
            x, self.deconv.weight, self.deconv.bias, stride=self.scale, output_padding=self.scale - 1
        )
        return x[..., crop : crop + height, crop : crop + width]

    @classmethod
    def load(cls, path: str | PathLike[str]) -> FSRCNN:
        """Make the network that a file describes; nothing is unpickled but tensors, numbers and text."""
        if str(path).lower().endswith(".safetensors"):
            from safetensors import safe_open

            with safe_open(path, "pt") as file:
                described = json.loads(file.metadata()["fsrcnn_np_module"])
                state: Any = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
            described = state._metadata["fsrcnn_np_module"]
        network = cls(**described).to(next(iter(state.values())).dtype)
        network.load_state_dict(state)
        return network.eval()
