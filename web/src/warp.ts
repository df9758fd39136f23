/** Bilinear samples under an affine map, as OpenCV's `warpAffine`: coordinates count from a pixel's centre. */

import { roundedToEven } from "./area";
import type { Affine, Picture, Point } from "./records";

/** What lies beyond a picture's edge: a constant grey, or its outermost pixels repeated. */
export type Border = number | "repeat";

/**
 * The picture sampled at the place to which the map takes each pixel of the answer.
 *
 * @param toPicture From pixels of the answer to pixels of the picture.
 */
export function sampled(picture: Picture, toPicture: Affine, side: number, border: Border): Picture {
  const { width, height, pixels } = picture;
  const out = new Uint8Array(side * side * 3);
  const [a, b, c, d, e, f] = toPicture;
  const line = width * 3;
  const value = (x: number, y: number, channel: number): number => {
    if (border !== "repeat") {
      return x < 0 || y < 0 || x >= width || y >= height ? border : pixels[(y * width + x) * 3 + channel]!;
    }
    return pixels[(clamped(y, height) * width + clamped(x, width)) * 3 + channel]!;
  };
  for (let row = 0, at = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const x = a * column + b * row + c;
      const y = d * column + e * row + f;
      const left = Math.floor(x);
      const top = Math.floor(y);
      const right = x - left;
      const low = y - top;
      const isInside = left >= 0 && top >= 0 && left + 1 < width && top + 1 < height;
      for (let channel = 0, from = (top * width + left) * 3; channel < 3; channel++, from++) {
        // Few places lie at an edge: the others are looked up without asking.
        const one = isInside ? pixels[from]! : value(left, top, channel);
        const two = isInside ? pixels[from + 3]! : value(left + 1, top, channel);
        const three = isInside ? pixels[from + line]! : value(left, top + 1, channel);
        const four = isInside ? pixels[from + line + 3]! : value(left + 1, top + 1, channel);
        const upper = one * (1 - right) + two * right;
        out[at++] = roundedToEven(upper * (1 - low) + (three * (1 - right) + four * right) * low);
      }
    }
  }
  return { width: side, height: side, pixels: out };
}

/** A map that does what the second does, then what the first does. */
export function after(second: Affine, first: Affine): Affine {
  const [a, b, c, d, e, f] = second;
  const [g, h, i, j, k, l] = first;
  return [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f];
}

export function inverse([a, b, c, d, e, f]: Affine): Affine {
  const area = a * e - b * d;
  return [e / area, -b / area, (b * f - c * e) / area, -d / area, a / area, (c * d - a * f) / area];
}

export function moved([a, b, c, d, e, f]: Affine, [x, y]: Point): Point {
  return [a * x + b * y + c, d * x + e * y + f];
}

/** A map between places counted from a pixel's corner, as one between places counted from its centre. */
export function fromCentres([a, b, c, d, e, f]: Affine): Affine {
  return [a, b, c + (a + b) / 2 - 0.5, d, e, f + (d + e) / 2 - 0.5];
}

function clamped(place: number, length: number): number {
  return place < 0 ? 0 : place >= length ? length - 1 : place;
}
