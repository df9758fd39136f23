/** A picture and a face -> the squares that the networks see: the geometry of `deepfake/faces/crops.py`. */

import { shrunkTo } from "./area";
import { sizeOf } from "./mtcnn";
import type { Affine, Crop, CropSpec, Face, Picture, Point } from "./records";
import { fromCentres, moved, sampled } from "./warp";

const MIN_EYE_DISTANCE = 0.15;
const MIN_COVER = 0.8;

export function cutCrop(picture: Picture, face: Face, spec: CropSpec): Crop {
  const [first, ...others] = spec.tta_scales.map((view): Crop => {
    const { toFrame, side } = square(face, spec, view);
    return { picture: sampleSquare(picture, toFrame, spec.size), face, toFrame, side, wider: [] };
  });
  return { ...first!, wider: others.filter(({ toFrame }) => cover(toFrame, picture) >= MIN_COVER) };
}

/** The picture under the unit square that `toFrame` lays on it, averaged where the picture shrinks. */
export function sampleSquare(picture: Picture, toFrame: Affine, size: number): Picture {
  const fine = Math.max(1, Math.ceil(Math.hypot(toFrame[0], toFrame[3]) / size));
  const side = size * fine;
  const [a, b, c, d, e, f] = toFrame;
  const found = sampled(picture, fromCentres([a / side, b / side, c, d / side, e / side, f]), side, "repeat");
  return fine > 1 ? shrunkTo(found, size, size) : found;
}

/** Angle in radians from the picture's x axis to the line from the left-hand to the right-hand eye. */
export function roll(face: Face): number {
  const [one, other, , cornerOne, cornerOther] = face.landmarks as [Point, Point, Point, Point, Point];
  const [x, y] = [other[0] - one[0], other[1] - one[1]];
  if (Math.hypot(x, y) >= MIN_EYE_DISTANCE * sizeOf(face)) return Math.atan2(y, x);
  const down = [0, 1].map((axis) => (cornerOne[axis]! + cornerOther[axis]! - one[axis]! - other[axis]!) / 2) as [
    number,
    number,
  ];
  return Math.atan2(-down[0], down[1]);
}

function square(face: Face, spec: CropSpec, view: number): { toFrame: Affine; side: number } {
  const [left, top, right, bottom] = face.box;
  const side = Math.max(sizeOf(face) * spec.scale * view, 1);
  const angle = roll(face);
  const [x, y] = [Math.cos(angle), Math.sin(angle)];
  const centre = [(left + right) / 2 - spec.shift * side * y, (top + bottom) / 2 + spec.shift * side * x] as const;
  const corner = [centre[0] - (side / 2) * (x - y), centre[1] - (side / 2) * (y + x)] as const;
  const toFrame = [side * x, -side * y, corner[0], side * y, side * x, corner[1]].map(Math.fround);
  return { toFrame: toFrame as unknown as Affine, side };
}

/** The share of a square that lies in the picture. */
function cover(toFrame: Affine, { width, height }: Picture): number {
  const corners = (
    [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ] as const
  ).map((corner) => moved(toFrame, corner));
  let inside: Point[] = corners;
  for (const [axis, sign, limit] of [
    [0, 1, 0],
    [0, -1, -width],
    [1, 1, 0],
    [1, -1, -height],
  ] as const) {
    inside = clipped(inside, (point) => sign * point[axis] - limit);
  }
  return areaOf(inside) / areaOf(corners);
}

/** What of a polygon lies where `room` is not negative (Sutherland and Hodgman, 1974). */
function clipped(polygon: readonly Point[], room: (point: Point) => number): Point[] {
  return polygon.flatMap((point, place) => {
    const next = polygon[(place + 1) % polygon.length]!;
    const [here, there] = [room(point), room(next)];
    const kept = here >= 0 ? [point] : [];
    if (here >= 0 === there >= 0) return kept;
    const share = here / (here - there);
    return [...kept, [point[0] + share * (next[0] - point[0]), point[1] + share * (next[1] - point[1])] as const];
  });
}

function areaOf(polygon: readonly Point[]): number {
  const twice = polygon.reduce((sum, [x, y], place) => {
    const [nextX, nextY] = polygon[(place + 1) % polygon.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(twice) / 2;
}
