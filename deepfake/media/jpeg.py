"""What a JPEG may cost: it is refused by its header and its parts, before it is decoded."""

from __future__ import annotations

import re
from pathlib import Path

from deepfake.errors import MediaError

MAX_SCANS = 100
"""Times that a JPEG may draw its picture, each time finer; encoders write a dozen."""
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""What begins a part of a JPEG: not the stuffing and the restarts within a scan. Two bytes, so that the time to look
for it is linear in the file's size, whatever bytes fill it before."""
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = b"\xd8", b"\xd9", b"\xda"


def check_scans(path: Path) -> None:
    """Raises a `MediaError` if a JPEG is drawn again and again: each scan costs as much time as the picture."""
    scans = _scans(path.read_bytes())
    if scans > MAX_SCANS:
        raise MediaError(f"{path} draws its picture in {scans} scans; at most {MAX_SCANS} are read. Export it again.")


def _scans(content: bytes) -> int:
    place, scans = 0, 0
    while found := _MARKER.search(content, place):
        place, marker = found.end(), found[0][-1:]
        if marker == _END_OF_IMAGE:
            break
        if marker != _START_OF_IMAGE:
            place += int.from_bytes(content[place : place + 2])
        scans += marker == _START_OF_SCAN
    return scans
