"""TensorFlow's frozen graphs (.pb), read without TensorFlow."""

from .frozen import found

__all__ = ["found"]
