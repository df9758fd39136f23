"""What can go wrong, as a tree.

    Exception
      DeepfakeError          everything below; catch this to catch all of it
        MediaError           a picture or a video that cannot be read
        FetchError           a file that cannot be had from standard input or from the web
        BundleError          a model bundle that is missing, damaged or does not fit
        DatasetError         a training set that is missing, damaged or leaks
        StoreError           a store of a scan that cannot be read or written, or is another's
        ProcessError           a process that was to do something died, or took too long
        LimitError           a server's limit: too large, too long, too much at once
      ValueError, TypeError  a caller's mistake: an argument outside its stated range

A face that is absent or too small is no error: the verdict is then `inconclusive`, with its reason.
"""

from __future__ import annotations


class DeepfakeError(Exception):
    """Root of the errors that this package raises about the world outside it."""


class MediaError(DeepfakeError):
    """A picture or a video cannot be read; the message says why and what to do."""


def internal_fault(error: Exception) -> str:
    """What is said of one file of many on which this program itself failed; the others go on.

    Example:

    >>> internal_fault(ZeroDivisionError("division by zero"))
    'The program failed on this file (ZeroDivisionError: division by zero). Please report it, with the file.'
    """
    said = f"{type(error).__name__}: {error}".rstrip(": .")
    return f"The program failed on this file ({said}). Please report it, with the file."


class FetchError(DeepfakeError):
    """A file cannot be had from where it is; the message says why and what to do."""


class BundleError(DeepfakeError):
    """A model bundle is missing, damaged, or made for another version."""


class DatasetError(DeepfakeError):
    """A data set is missing, damaged, or leaks between its splits."""


class StoreError(DeepfakeError):
    """The store of a scan cannot be read or written, or holds answers of another model."""


class ProcessError(DeepfakeError):
    """A process died, or took too long and was ended.

    Args:
        ending: How it died: a signal or an exit status; empty if it took too long.
    """

    def __init__(self, ending: str) -> None:
        super().__init__(f"The process died ({ending})." if ending else "The process took too long and was ended.")
        self.ending = ending


class LimitError(DeepfakeError):
    """A limit of the server that was asked; the message says which and what to do.

    Args:
        message: What is said.
        status: The HTTP status that stands for it: one of those below.
    """

    WRONG = 400
    TOO_SLOW = 408
    TOO_LARGE = 413
    UNKNOWN = 415
    TOO_MANY = 429
    BUSY = 503
    TOO_LONG = 504
    FULL = 507

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
