"""What the metadata of one file state, word for word and believed by nobody yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Place(StrEnum):
    """Where in a file a statement stands."""

    EXIF = "exif"
    """Tags that cameras write."""
    XMP = "xmp"
    """The packet of properties that editors write."""
    TEXT = "text"
    """Texts of a PNG, and comments of a GIF or a JPEG."""
    CONTAINER = "container"
    """Tags of a video and of its streams."""
    JPEG = "jpeg"
    """Parts of a JPEG that certain programs alone write."""
    THUMBNAIL = "thumbnail"
    """The small picture that a camera puts into its file."""
    C2PA = "c2pa"
    """Content Credentials."""
    ALL = "all"
    """Anywhere: reading them ended the process that read them."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a file states."""

    place: Place
    """Where it stands."""
    name: str
    """Of the tag or the property, without its namespace."""
    text: str
    """As it was written: it may be long, and hold anything."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What one file states, and what shows on it besides its pixels."""

    statements: tuple[Statement, ...] = ()
    """In the order of the file."""
    is_jpeg: bool = False
    """Whether it is a JPEG, which shows by what tables it was quantised."""
    standard_quality: int | None = None
    """The quality from 1 to 100 whose standard tables (libjpeg's) a JPEG has exactly; None if it has others."""
    thumbnail_differs: bool | None = None
    """Whether the thumbnail in it shows something else than its pixels; None without one."""
    written: datetime | None = None
    """When the file was last written on this machine, with its time zone."""
    unread: tuple[Place, ...] = ()
    """What is there and could not be read."""
