"""The distribution's one version number, for both packages."""

__version__ = "0.1.0"
