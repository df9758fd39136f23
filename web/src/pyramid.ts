/** A picture -> the small pictures that P-Net searches, from the smallest face to the whole: `deepfake/faces/pyramid.py`. */

import { asFloats, halved, shrunkTo } from "./area";
import type { Picture } from "./records";

/** Side of P-Net's receptive field. */
export const CELL = 12;
const STEP = 0.709;
const FINER = 1.75;
const FEW_VALUES = 800_000;
const MAX_LEVEL_PIXELS = 2_000_000;
const SMALLEST_FACE_PX = 20;

export interface Level {
  readonly scale: number;
  readonly picture: Picture;
}

export function pyramidScales(height: number, width: number, minFaceShare: number): number[] {
  const short = Math.min(height, width);
  const scales: number[] = [];
  let scale = Math.min(
    CELL / Math.max(SMALLEST_FACE_PX, minFaceShare * short),
    Math.sqrt(MAX_LEVEL_PIXELS / Math.max(1, height * width)),
  );
  while (short * scale >= CELL) {
    scales.push(scale);
    scale *= STEP;
  }
  return scales;
}

export function* pyramid(picture: Picture, minFaceShare: number): Generator<Level> {
  const { width, height } = picture;
  let base = picture;
  let share = 1;
  for (const scale of pyramidScales(height, width, minFaceShare)) {
    while (base.pixels.length > FEW_VALUES && scale * FINER <= share / 2) {
      base = halved(base);
      share /= 2;
    }
    base = asFloats(base);
    yield { scale, picture: shrunkTo(base, Math.trunc(width * scale), Math.trunc(height * scale)) };
  }
}
