/** The evidence of several views of a face -> one map over the widest of them: `deepfake/model/scorer.py`. */

import type { Affine, Evidence } from "./records";
import { after, fromCentres, inverse } from "./warp";

/** Cells along each side of the joined map. */
const JOINED = 14;

export interface View {
  readonly toFrame: Affine;
  readonly evidence: Evidence;
}

/** The views' evidence laid over the last of them, the widest: its mean is the mean of theirs. */
export function joined(views: readonly View[]): Evidence {
  if (views.length === 1) return views[0]!.evidence;
  const toWidest = inverse(views.at(-1)!.toFrame);
  const sum = new Float32Array(JOINED * JOINED);
  for (const view of views) {
    const laid = laidOver(view.evidence, after(toWidest, view.toFrame));
    laid.forEach((value, cell) => (sum[cell]! += value / views.length));
  }
  return { side: JOINED, values: sum };
}

export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k]!;
  return sum / values.length;
}

/** One view's evidence in the cells of the joined map; both maps are counted from their own corners, in sides. */
function laidOver(own: Evidence, toWidest: Affine): Float64Array {
  const scale = JOINED / own.side;
  const [a, b, c, d, e, f] = toWidest;
  const toOwn = inverse(fromCentres([a * scale, b * scale, c * JOINED, d * scale, e * scale, f * JOINED]));
  const within = new Float64Array(JOINED * JOINED);
  const laid = new Float64Array(JOINED * JOINED);
  const edge = (place: number): number => Math.min(Math.max(place, 0), own.side - 1);
  for (let cell = 0; cell < laid.length; cell++) {
    const x = toOwn[0] * (cell % JOINED) + toOwn[1] * Math.floor(cell / JOINED) + toOwn[2];
    const y = toOwn[3] * (cell % JOINED) + toOwn[4] * Math.floor(cell / JOINED) + toOwn[5];
    for (const [column, row, share] of corners(x, y)) {
      if (column === edge(column) && row === edge(row)) within[cell]! += share;
      laid[cell]! += share * own.values[edge(row) * own.side + edge(column)]!;
    }
  }
  // On less room a narrow view weighs as much as a wide one; what sampling changed is given back.
  const room = meanOf(within);
  for (let cell = 0; cell < laid.length; cell++) laid[cell]! *= within[cell]! / room;
  const lost = (meanOf(own.values) - meanOf(laid)) / room;
  return laid.map((value, cell) => value + within[cell]! * lost);
}

/** The four places around one, with the share of each. */
function corners(x: number, y: number): [number, number, number][] {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, low] = [x - left, y - top];
  return [
    [left, top, (1 - right) * (1 - low)],
    [left + 1, top, right * (1 - low)],
    [left, top + 1, (1 - right) * low],
    [left + 1, top + 1, right * low],
  ];
}
