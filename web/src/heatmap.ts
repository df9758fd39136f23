/** Evidence -> a heat map: red speaks for fake, blue for real, as `deepfake/report/heatmap.py`. */

import type { Evidence } from "./records";

const CONTOUR = 0.5;
/** Of the cubic curve that OpenCV lays through values. */
const CUBIC = -0.75;

/** Evidence from which on a place is painted, and at which it is painted at full strength. */
export type Span = readonly [number, number];
export type Colour = readonly [number, number, number];

export interface Colours {
  readonly fake: Colour;
  readonly real: Colour;
}

/** The range of a map's own strengths; it begins at 0 where both signs occur: between them nothing speaks. */
export function spanOf({ values }: Evidence): Span {
  const strengths = values.map(Math.abs);
  const oneSign = values.every((value) => value > 0) || values.every((value) => value < 0);
  return [oneSign ? Math.min(...strengths) : 0, Math.max(...strengths)];
}

/** The evidence at a size, in [-1, 1]: above 0 speaks for fake. */
export function heatMap(evidence: Evidence, size: number): Float32Array {
  const [low, high] = spanOf(evidence);
  return enlarged(evidence, size).map((value) => {
    const strength = high > low ? Math.min(Math.max((Math.abs(value) - low) / (high - low), 0), 1) : Number(high > 0);
    return Math.sign(value) * strength;
  });
}

/** The heat map alone, to be laid over a crop: transparent where nothing speaks; white lines bound its stronger half. */
export function heatLayer(evidence: Evidence, size: number, { fake, real }: Colours): ImageData {
  const heat = heatMap(evidence, size);
  const layer = new ImageData(size, size);
  heat.forEach((value, at) => {
    const colour = isOnLine(heat, at, size)
      ? [255, 255, 255, 255]
      : [...(value > 0 ? fake : real), Math.abs(value) * 255];
    layer.data.set(colour, 4 * at);
  });
  return layer;
}

/** Whether a place is the first within the stronger half, for fake or for real, beside one that is not. */
function isOnLine(heat: Float32Array, at: number, size: number): boolean {
  const sign = Math.sign(heat[at]!);
  if (sign * heat[at]! <= CONTOUR) return false;
  const [x, y] = [at % size, Math.floor(at / size)];
  const isWeak = (column: number, row: number): boolean =>
    column >= 0 && row >= 0 && column < size && row < size && sign * heat[row * size + column]! <= CONTOUR;
  return isWeak(x - 1, y) || isWeak(x + 1, y) || isWeak(x, y - 1) || isWeak(x, y + 1);
}

/** The map at a size, by cubic curves through its cells' centres; beyond its edges the outermost cells are repeated. */
function enlarged({ side, values }: Evidence, size: number): Float32Array {
  const steps = Array.from({ length: size }, (_, at) => {
    const place = ((at + 0.5) * side) / size - 0.5;
    const first = Math.floor(place);
    const cells = [-1, 0, 1, 2].map((step) => Math.min(Math.max(first + step, 0), side - 1));
    return { cells, shares: cubicShares(place - first) };
  });
  const out = new Float32Array(size * size);
  steps.forEach(({ cells: rows, shares: down }, y) => {
    const line = Array.from({ length: side }, (_, column) =>
      rows.reduce((sum, row, k) => sum + down[k]! * values[row * side + column]!, 0),
    );
    steps.forEach(({ cells, shares }, x) => {
      out[y * size + x] = cells.reduce((sum, column, k) => sum + shares[k]! * line[column]!, 0);
    });
  });
  return out;
}

function cubicShares(rest: number): number[] {
  const far = (x: number): number => ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC;
  const near = (x: number): number => ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
  const shares = [far(rest + 1), near(rest), near(1 - rest)];
  return [...shares, 1 - shares.reduce((sum, share) => sum + share, 0)];
}
