"""HDR -> SDR: a frame in PQ or HLG as a player shows it on an ordinary screen.

Light up to some 30 cd/m2 stays as it is, brighter light is rolled off to the 100 cd/m2 of a reference monitor (the
EETF), and the colours of BT.2020 become those of BT.709. PyAV's wheels hold neither `zscale` nor `libplacebo`, and
swscale's own conversion takes seconds a frame.

Reference:
    ITU-R BT.2100 (PQ, HLG), BT.2390 (the EETF), BT.1886 (the screen), BT.2087 (the primaries).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from av.video.reformatter import ColorTrc

from deepfake.records import Floats, Image

HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
"""Transfer functions that an ordinary screen does not show as they are: PQ and HLG."""
SOURCE_PEAK, SCREEN_PEAK = 1000.0, 100.0
"""Brightest light of the source and of the screen in cd/m2."""
_STEPS = 4096
_LUMINANCE = np.array([[0.2627, 0.6780, 0.0593]], np.float32)
_TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]], np.float32
)


def tone_mapped(codes: Image, transfer: int) -> Image:
    """A frame for an ordinary screen, RGB uint8.

    Args:
        codes: RGB uint16 `(height, width, 3)` over the full range, with the primaries of BT.2020.
        transfer: One of `HDR`.
    """
    to_light, gains, screen = _tables(transfer)
    light = to_light[codes]
    luminance = cv2.transform(light, _LUMINANCE)
    places = np.sqrt(luminance / SOURCE_PEAK) * (_STEPS - 1)
    light *= gains[np.minimum(places, _STEPS - 1).astype(np.int32)].reshape(*luminance.shape[:2], 1)
    mapped = cv2.transform(light, _TO_BT709)
    return np.asarray(screen[(np.sqrt(np.clip(mapped, 0, 1)) * (_STEPS - 1)).astype(np.int32)])


@cache
def _tables(transfer: int) -> tuple[Floats, Floats, Image]:
    """Code to light, the square root of luminance to a gain, and the square root of screen light to 8 bits."""
    codes = np.arange(65536) / 65535
    luminance = np.maximum((np.arange(_STEPS) / (_STEPS - 1)) ** 2 * SOURCE_PEAK, 1e-4)
    if transfer == ColorTrc.SMPTE2084:
        light, display = _pq_light(codes), luminance
    else:
        # Scene light, and the system's gamma, by which a display of this peak shows it.
        light, display = SOURCE_PEAK * _hlg_scene(codes), SOURCE_PEAK * (luminance / SOURCE_PEAK) ** 1.2
    gains = display / luminance * _rolled_off(display) / display / SCREEN_PEAK
    screen = 255 * (np.arange(_STEPS) / (_STEPS - 1)) ** (2 / 2.4)
    return light.astype(np.float32), gains.astype(np.float32), screen.round().astype(np.uint8)


def _rolled_off(light: Any) -> Any:
    """Light of the source in cd/m2 to light of the screen: the EETF of BT.2390, for a black of 0."""
    white, most = _pq_code(SOURCE_PEAK), _pq_code(SCREEN_PEAK) / _pq_code(SOURCE_PEAK)
    knee = 1.5 * most - 0.5
    code = np.minimum(_pq_code(light) / white, 1.0)
    t = np.maximum(code - knee, 0) / (1 - knee)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return _pq_light(np.where(code < knee, code, curve) * white)


def _pq_light(code: Any) -> Any:
    power = np.power(code, 32 / 2523)
    return 10000 * np.power(np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power), 8192 / 1305)


def _pq_code(light: Any) -> Any:
    power = np.power(np.asarray(light) / 10000, 1305 / 8192)
    return np.power((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power), 2523 / 32)


def _hlg_scene(code: Any) -> Any:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
