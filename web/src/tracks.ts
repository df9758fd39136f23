/** Faces over time -> the same Faces with a number for each person, as `deepfake/faces/tracks.py`. */

import { shrunkTo } from "./area";
import { sizeOf } from "./mtcnn";
import type { Box, Face, Picture } from "./records";

const MAX_MISSED = 3;
const MAX_SIZE_RATIO = 1.6;
const MAX_DISTANCE = 0.6;
const CUT_CORRELATION = 0.4;
const COARSE = 256;
const SMALL = 64;
/** Of each channel, in a colour histogram. */
const BINS = 8;

interface Followed {
  readonly number: number;
  readonly face: Face;
  readonly missed: number;
}

/** Numbers the faces of one clip; frames must arrive in order of time. */
export class Tracker {
  private tracks: Followed[] = [];
  private count = 0;
  private colours: Float64Array | null = null;

  /** The faces of the next frame, in the same order, each with its number. */
  follow(picture: Picture, faces: readonly Face[]): Face[] {
    const colours = colourHistogram(picture);
    if (this.colours && isCut(this.colours, colours)) this.tracks = [];
    this.colours = colours;

    const continued = this.continued(faces);
    const numbered = faces.map((face, slot) => ({ ...face, track: continued.get(slot)?.number ?? this.count++ }));
    const found = new Set(continued.values());
    const lost = this.tracks.filter((track) => !found.has(track) && track.missed < MAX_MISSED);
    this.tracks = [
      ...numbered.map((face) => ({ number: face.track, face, missed: 0 })),
      ...lost.map((track) => ({ ...track, missed: track.missed + 1 })),
    ];
    return numbered;
  }

  /** The track that each face continues, by the face's place. */
  private continued(faces: readonly Face[]): Map<number, Followed> {
    const pairs = this.tracks
      .flatMap((track, place) =>
        faces.map((face, slot) => ({ likeness: affinity(track.face, face), track, place, slot })),
      )
      .sort((one, other) => other.likeness - one.likeness || other.place - one.place || other.slot - one.slot);
    const continued = new Map<number, Followed>();
    const taken = new Set<Followed>();
    for (const { likeness, track, slot } of pairs) {
      if (likeness <= 0 || taken.has(track) || continued.has(slot)) continue;
      continued.set(slot, track);
      taken.add(track);
    }
    return continued;
  }
}

/** How well a face continues another: 0 for not at all, at most 2. */
export function affinity(before: Face, after: Face): number {
  const [smaller, larger] = [sizeOf(before), sizeOf(after)].sort((one, other) => one - other) as [number, number];
  if (larger / Math.max(smaller, 1e-6) > MAX_SIZE_RATIO) return 0;
  const overlap = boxOverlap(before.box, after.box);
  if (overlap > 0) return 1 + overlap;
  const [left, top, right, bottom] = before.box;
  const [otherLeft, otherTop, otherRight, otherBottom] = after.box;
  const gapX = Math.max(left - otherRight, otherLeft - right, 0);
  const gapY = Math.max(top - otherBottom, otherTop - bottom, 0);
  return Math.max(0, 1 - Math.hypot(gapX, gapY) / larger / MAX_DISTANCE);
}

/** Intersection over union of two boxes, in [0, 1]. */
export function boxOverlap(one: Box, other: Box): number {
  const width = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const height = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  const area = (box: Box): number => (box[2] - box[0]) * (box[3] - box[1]);
  return shared / (area(one) + area(other) - shared);
}

/** What a scene looks like, wherever things stand in it. */
function colourHistogram(picture: Picture): Float64Array {
  const { pixels } = shrunkTo(coarse(picture), SMALL, SMALL);
  const counts = new Float64Array(BINS ** 3);
  const bin = (at: number): number => Math.floor((pixels[at]! * BINS) / 256);
  for (let at = 0; at < pixels.length; at += 3) counts[(bin(at) * BINS + bin(at + 1)) * BINS + bin(at + 2)]!++;
  const row = BINS * BINS;
  const neighbour = (place: number, step: number): number => {
    const column = (place % row) + step;
    // Mirrored at the ends, which are not repeated.
    return counts[place - (place % row) + (column < 0 ? 1 : column >= row ? row - 2 : column)]!;
  };
  return counts.map((count, place) => count / 2 + (neighbour(place, -1) + neighbour(place, 1)) / 4);
}

/** Some pixels of a picture say as much about its colours as all of them. */
function coarse({ width, height, pixels }: Picture): Picture {
  const out = new Uint8Array(COARSE * COARSE * 3);
  for (let place = 0; place < COARSE * COARSE; place++) {
    const x = Math.floor(((place % COARSE) * width) / COARSE);
    const y = Math.floor((Math.floor(place / COARSE) * height) / COARSE);
    const from = (y * width + x) * 3;
    out.set(pixels.subarray(from, from + 3), place * 3);
  }
  return { width: COARSE, height: COARSE, pixels: out };
}

function isCut(before: Float64Array, after: Float64Array): boolean {
  const mean = SMALL ** 2 / before.length;
  let [both, one, other] = [0, 0, 0];
  before.forEach((count, bin) => {
    const [a, b] = [count - mean, after[bin]! - mean];
    both += a * b;
    one += a * a;
    other += b * b;
  });
  return both < CUT_CORRELATION * Math.sqrt(one * other);
}
