"""What a stranger may send: how large, how long and from where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deepfake.errors import LimitError, MediaError
from deepfake.media import Kind, MediaReader, kind_of
from deepfake.media.isolated import open_isolated
from deepfake.records import Sampling
from deepfake.report.words import shown_name

MAX_BYTES = {"picture": 25_000_000, "video": 250_000_000}
"""Largest file of each kind."""
MAX_DURATION_S = 600.0
"""Longest video in seconds."""
MAX_BATCH = 20
"""Most files in one batch."""


def check_upload(path: Path | str, folders: Sequence[Path], wanted: Kind | None = None) -> Kind:
    """Says what an uploaded file is, if it may be looked at: the one door through which every file comes.

    Args:
        path: The file, on this machine.
        folders: Where it must lie: a forged request may name any file of the server.
        wanted: What it should be; None for either.

    Raises:
        MediaError: If it lies elsewhere, is of no known format, or not what is wanted.
        LimitError: If it is too large.
    """
    path = Path(path)
    place = _resolved(path)
    if not any(place and place.is_relative_to(folder.resolve()) for folder in folders):
        raise MediaError("The file was not uploaded. Upload it first (`handle_file` in gradio_client does).")
    kind = kind_of(path)
    if wanted and kind != wanted:
        raise MediaError(f"{path} is a {kind}, not a {wanted}. Choose the tab for {kind}s.")
    check_bytes(kind, path.stat().st_size)
    return kind


def open_upload(path: Path | str, sampling: Sampling | None = None) -> MediaReader:
    """Opens an uploaded file as `open_isolated` does.

    Raises:
        MediaError: As `open_isolated`.
        LimitError: If it lasts too long.
    """
    media = open_isolated(path, sampling)
    minutes = float(media.duration) / 60
    if minutes > MAX_DURATION_S / 60:
        media.close()
        raise LimitError(
            f"A video may last at most {MAX_DURATION_S / 60:.0f} minutes here. Received: {minutes:.1f}. "
            "Cut out the part in question.",
            LimitError.TOO_LARGE,
        )
    return media


def check_bytes(kind: Kind, count: int) -> None:
    """Raises a `LimitError` if a file of that kind may not have so many bytes."""
    most = MAX_BYTES[kind]
    if count > most:
        raise LimitError(
            f"A {kind} may have at most {most // 10**6} MB here. Received: {count / 1e6:.0f} MB. Shrink it, or cut it.",
            LimitError.TOO_LARGE,
        )


def without_path(error: Exception, path: Path | str) -> str:
    """An error's text, with the file's name in the place of the server's path."""
    name = shown_name(Path(path).name)
    return str(error).replace(str(_resolved(Path(path)) or path), name).replace(str(path), name)


def _resolved(path: Path) -> Path | None:
    """Where a path leads; None for one that leads nowhere: a loop of links, a name with a zero byte."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None
