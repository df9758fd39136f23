"""The times that metadata state: when a picture was taken, when it was saved, and whether that can be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from deepfake.provenance.metadata import Statement

Event = Literal["captured", "saved"]
_NAMES: dict[Event, tuple[str, ...]] = {
    "captured": ("DateTimeOriginal", "com.apple.quicktime.creationdate", "DateCreated", "CreateDate", "creation_time"),
    "saved": ("DateTime", "ModifyDate"),
}
"""Names of statements of each, the best first."""
_TIME = re.compile(
    r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_FIRST_YEAR = 1990
"""Earlier times are those of clocks that were never set."""
SAVED_AGAIN = timedelta(minutes=1)
"""A camera saves within this."""
ANY_ZONE = timedelta(hours=14)
"""No two clocks on earth differ by more from universal time."""


def time_of(text: str) -> datetime | None:
    """The time that a text states, as EXIF, XMP and QuickTime write it; None if it is none, or of an unset clock.

    Example:

    >>> time_of("2024:05:01 12:30:00"), time_of("0000:00:00 00:00:00")
    (datetime.datetime(2024, 5, 1, 12, 30), None)
    """
    found = _TIME.match(text.strip())
    if found is None:
        return None
    *numbers, zone = found.groups()
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    written = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone or ''}"
    try:
        return datetime.fromisoformat(written) if year >= _FIRST_YEAR else None
    except ValueError:
        return None


def first_time(statements: Sequence[Statement], event: Event) -> datetime | None:
    """When a file says that something happened to it, to the second; None if it does not."""
    found = (time_of(one.text) for name in _NAMES[event] for one in statements if one.name == name)
    return next(filter(None, found), None)


def saved_again(captured: datetime | None, saved: datetime | None) -> bool:
    """Whether a file says that it was saved later than a camera does; not where the clocks cannot be compared."""
    if captured is None or saved is None or (captured.tzinfo is None) != (saved.tzinfo is None):
        return False
    return saved - captured > SAVED_AGAIN


def captured_after(captured: datetime | None, written: datetime | None) -> bool:
    """Whether a file says that it was taken after it was written, wherever that was.

    Args:
        captured: When it says that it was taken; without a time zone it may be of any.
        written: When it was written, with its time zone.
    """
    if captured is None or written is None:
        return False
    if captured.tzinfo is None:
        return captured.replace(tzinfo=UTC) - written > ANY_ZONE
    return captured - written > SAVED_AGAIN
