"""What every reader of a file does in the same way, whatever its pictures are: say what the file states of itself."""

from __future__ import annotations

from pathlib import Path

from deepfake.media.containers import credentials_in
from deepfake.media.metadata import origin_in
from deepfake.provenance.credentials import Credentials
from deepfake.provenance.origin import Origin


class FileReader:
    """A file that is read in this process, anew in each iteration.

    Args:
        path: The file.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.frames_failed = 0

    def credentials(self, anchors: str = "") -> Credentials | None:
        """See `credentials_in`."""
        return credentials_in(self.path, anchors)

    def origin(self) -> Origin:
        """See `origin_in`."""
        return origin_in(self.path)

    def close(self) -> None:
        """Nothing is held between two iterations."""
