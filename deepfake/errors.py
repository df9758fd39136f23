"""What can go wrong, as a tree.

    Exception
      DeepfakeError          everything below; catch this to catch all of it
        MediaError           a picture or a video that cannot be read
        BundleError          a model bundle that is missing, damaged or does not fit
        DatasetError         a training set that is missing, damaged or leaks
      ValueError, TypeError  a caller's mistake: an argument outside its stated range

A face that is absent or too small is no error: the verdict is then `inconclusive`, with its reason.
"""

from __future__ import annotations


class DeepfakeError(Exception):
    """Root of the errors that this package raises about the world outside it."""


class MediaError(DeepfakeError):
    """A picture or a video cannot be read; the message says why and what to do."""


class BundleError(DeepfakeError):
    """A model bundle is missing, damaged, or made for another version."""


class DatasetError(DeepfakeError):
    """A data set is missing, damaged, or leaks between its splits."""
