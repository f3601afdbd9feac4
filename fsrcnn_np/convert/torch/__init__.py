"""PyTorch's files: state dicts, safetensors, and the module that loads ours. Needs the extra `torch` to be used."""

from .file import PADDLE, encoded, found

__all__ = ["PADDLE", "encoded", "found"]
