"""The palette, and what every picture for a person is drawn and written with."""

from __future__ import annotations

import cv2
import numpy as np

from deepfake.records import Floats, Image, Label

Colour = tuple[int, int, int]
"""RGB in [0, 255]."""
FAKE_COLOUR: Colour = (214, 40, 40)
"""Of evidence for fake."""
REAL_COLOUR: Colour = (30, 110, 200)
"""Of evidence for real."""
LABEL_COLOURS: dict[Label, Colour] = {
    Label.FAKE: FAKE_COLOUR,
    Label.REAL: REAL_COLOUR,
    Label.INCONCLUSIVE: (200, 140, 0),
}
"""Of each answer; the three differ for readers who do not tell red from green."""
WHITE: Colour = (255, 255, 255)
INK: Colour = (35, 35, 35)
"""Of text on paper."""
GREY: Colour = (110, 110, 110)
"""Of what is beside the point on paper."""


def hex_of(colour: Colour) -> str:
    """The colour as CSS writes it.

    Example:

    >>> hex_of(REAL_COLOUR)
    '#1e6ec8'
    """
    return "#" + "".join(f"{part:02x}" for part in colour)


def paler(colour: Colour, share: float) -> Colour:
    """The colour on white, with this share of its strength.

    Example:

    >>> paler(FAKE_COLOUR, 0.0)
    (255, 255, 255)
    """
    red, green, blue = (round(255 - (255 - part) * share) for part in colour)
    return red, green, blue


def painted(image: Image, heat: Floats, opacity: float) -> Image:
    """The picture under a heat map of its size, with values in [-1, 1]: above 0 in the colour of fakes.

    Raises:
        ValueError: If `opacity` is no share in [0, 1].
    """
    if not 0 <= opacity <= 1:
        raise ValueError(f"`opacity` is a share in [0, 1]. Received: {opacity}.")
    strength = (np.abs(heat) * opacity)[..., None]
    return (image * (1 - strength) + heat_colours(heat) * strength).round().astype(np.uint8)


def heat_colours(heat: Floats) -> Image:
    """The colour of each place of a heat map, RGB uint8."""
    return np.where(heat[..., None] > 0, np.array(FAKE_COLOUR, np.uint8), np.array(REAL_COLOUR, np.uint8))


def outlined(canvas: Image, heat: Floats, level: float) -> Image:
    """The picture with white lines around what of a heat map of its size is stronger than the level, for fake or real.

    Args:
        canvas: RGB or RGBA uint8.
        heat: Values in [-1, 1].
        level: In (0, 1).
    """
    drawn = np.ascontiguousarray(canvas).copy()
    for side in (heat > level, heat < -level):
        if side.all():
            continue
        lines, _ = cv2.findContours(side.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.polylines(drawn, lines, True, (255,) * canvas.shape[2], max(1, round(min(heat.shape) / 150)), cv2.LINE_AA)
    return drawn


def draw_label(canvas: Image, text: str, corner: tuple[int, int], colour: Colour, thickness: int) -> None:
    """Writes on a picture, in white on a colour: above the corner, or below it where there is no room above."""
    scale = 0.4 + 0.15 * thickness
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    left = min(max(corner[0], 0), max(canvas.shape[1] - width - 4, 0))
    bottom = corner[1] - base if corner[1] - height - 2 * base >= 0 else corner[1] + height + 2 * base
    cv2.rectangle(canvas, (left, bottom - height - base), (left + width + 4, bottom + base), colour, -1)
    cv2.putText(canvas, text, (left + 2, bottom), cv2.FONT_HERSHEY_SIMPLEX, scale, WHITE, thickness, cv2.LINE_AA)


def shrunk(image: Image, side: int) -> Image:
    """The picture with at most this longer side in pixels."""
    scale = min(1.0, side / max(image.shape[:2]))
    width, height = (max(1, round(edge * scale)) for edge in (image.shape[1], image.shape[0]))
    return image if scale == 1.0 else np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))


def jpeg(image: Image, quality: int = 88) -> bytes:
    """An RGB picture as a JPEG file."""
    pixels = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
