"""Keras' whole models (.keras, .h5), read without Keras or TensorFlow."""

from .model import found
from .store import is_keras

__all__ = ["found", "is_keras"]
