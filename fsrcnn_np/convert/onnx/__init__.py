"""ONNX models. Needs the extra `onnx` to be used."""

from .file import encoded, found

__all__ = ["encoded", "found"]
