"""Any file -> something that yields its Frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from deepfake.media.animation import AnimationReader
from deepfake.media.formats import PICTURE_FORMATS, Kind, format_of, kind_of
from deepfake.media.picture import PictureReader
from deepfake.media.video import VideoReader
from deepfake.provenance.credentials import Credentials
from deepfake.provenance.origin import Origin
from deepfake.records import Frame, Note, Sampling


class MediaReader(Protocol):
    """A picture, an animation or a video, opened. Each iteration reads the file, with one frame in memory at a time.

    Whoever opened it closes it (`contextlib.closing`): it may be a process.
    """

    @property
    def kind(self) -> Kind:
        """`picture` or `video`."""

    @property
    def duration(self) -> Fraction:
        """Seconds from the first frame to the end; 0 for a picture."""

    @property
    def frames_failed(self) -> int:
        """Frames that the last iteration could not decode."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What should be known of how the file is read."""

    def __len__(self) -> int:
        """Frames that were asked for, or the pages of a picture."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """The frames that can be decoded, in order of time."""
        ...

    def credentials(self, anchors: str = "") -> Credentials | None:
        """The Content Credentials that the file carries, proved; None if it carries none.

        Args:
            anchors: PEM certificates of those who vouch for signers.
        """
        ...

    def origin(self) -> Origin:
        """What the file's metadata say of its origin; what cannot be read of them is noted there."""
        ...

    def close(self) -> None:
        """Lets go of whatever holds the file open."""
        ...


Opener = Callable[[Path | str, Sampling | None], MediaReader]
"""What opens a file: `open_media`, or `deepfake.media.isolated.open_isolated` for the files of strangers."""


def open_media(path: Path | str, sampling: Sampling | None = None) -> MediaReader:
    """Opens a picture or a video, in this process.

    Args:
        path: The file.
        sampling: Which frames of a video or an animation to take.

    Raises:
        MediaError: If it is of no known format, or holds no video that can be decoded. Iterating raises it, too.

    Example:

    >>> [frame.image.shape for frame in open_media("examples/portrait.jpg")]
    [(512, 512, 3)]
    """
    if kind_of(path) == "picture":
        return PictureReader(path)
    is_animation = format_of(Path(path)) in PICTURE_FORMATS
    return AnimationReader(path, sampling) if is_animation else VideoReader(path, sampling)
