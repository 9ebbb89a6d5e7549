"""The version of this distribution."""

from flex_tokenstore import __version__

__all__ = ["__version__"]
