/** Scores -> where on the face the evidence for fake lies, as `deepfake/report/regions.py`. */

import { meanOf } from "./evidence";
import { sizeOf } from "./mtcnn";
import type { Point, Score } from "./records";
import { inverse, moved } from "./warp";

const STANDS_OUT = 1.4;
const NEAR_EYE = 0.13;
const NEAR_NOSE = 0.1;
const NEAR_MOUTH = 0.12;
const OVAL = [0.38, 0.5] as const;
const RIM = [0.8, 1.2] as const;

const PARTS = ["eyes", "nose", "mouth", "outline"] as const;
export type Region = (typeof PARTS)[number] | "whole";

/** The part of one person's face in which what speaks for fake stands out; `whole` where none does. */
export function regionOf(scores: readonly Score[]): Region {
  const strength = (region: Region): number =>
    scores.reduce((sum, score) => {
      const isIn = membership(score, region);
      const found = [...score.evidence.values].filter((_, cell) => isIn(cell)).map((value) => Math.max(value, 0));
      return sum + (found.length ? meanOf(found) : 0);
    }, 0);
  const whole = strength("whole");
  const parts = PARTS.map((region) => ({ region, strength: strength(region) }));
  const strongest = parts.reduce((one, other) => (other.strength > one.strength ? other : one));
  return whole > 0 && strongest.strength >= STANDS_OUT * whole ? strongest.region : "whole";
}

/** Whether each cell of a score's evidence belongs to a part of its face. */
function membership({ face, toFrame, evidence }: Score, region: Region): (cell: number) => boolean {
  const toCrop = inverse(toFrame);
  const [rightEye, leftEye, nose, mouthRight, mouthLeft] = face.landmarks.map((mark) => moved(toCrop, mark)) as [
    Point,
    Point,
    Point,
    Point,
    Point,
  ];
  const [left, top, right, bottom] = face.box;
  const centre = moved(toCrop, [(left + right) / 2, (top + bottom) / 2]);
  const longer = sizeOf(face) / Math.hypot(toFrame[0], toFrame[3]);
  const radius = ([x, y]: Point): number =>
    Math.hypot((x - centre[0]) / longer / OVAL[0], (y - centre[1]) / longer / OVAL[1]);
  const isIn: Record<Region, (place: Point) => boolean> = {
    eyes: (place) => Math.min(distance(place, rightEye), distance(place, leftEye)) < NEAR_EYE * longer,
    nose: (place) => distance(place, nose) < NEAR_NOSE * longer,
    mouth: (place) => fromLine(place, mouthRight, mouthLeft) < NEAR_MOUTH * longer,
    outline: (place) => radius(place) > RIM[0] && radius(place) < RIM[1],
    whole: (place) => radius(place) < RIM[1],
  };
  const { side } = evidence;
  return (cell) => isIn[region]([((cell % side) + 0.5) / side, (Math.floor(cell / side) + 0.5) / side]);
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one[0] - other[0], one[1] - other[1]);
}

function fromLine(place: Point, start: Point, end: Point): number {
  const [x, y] = [end[0] - start[0], end[1] - start[1]];
  const share = ((place[0] - start[0]) * x + (place[1] - start[1]) * y) / Math.max(x * x + y * y, 1e-12);
  const kept = Math.min(Math.max(share, 0), 1);
  return distance(place, [start[0] + kept * x, start[1] + kept * y]);
}
