/** Where no face is found: the picture turned, then smaller faces, as `deepfake/faces/second_look.py`. */

import { shrunkTo } from "./area";
import { type FaceFinder, MIN_FACE_SHARE } from "./mtcnn";
import type { Face, Frame, Note, Picture, Point } from "./records";

const LEAST_SCORE = 0.95;
const SURE_SCORE = 0.995;
const PROBED_PIXELS = 3_000_000;

interface View {
  /** Quarter turns, anticlockwise. */
  readonly turns: number;
  readonly minFaceShare: number;
  readonly note: Note | null;
}

const UPRIGHT: View = { turns: 0, minFaceShare: MIN_FACE_SHARE, note: null };
const VIEWS: readonly View[] = [
  ...[1, 3, 2].map((turns): View => ({ turns, minFaceShare: MIN_FACE_SHARE, note: "turned" })),
  { turns: 0, minFaceShare: 0, note: "small_faces" },
];

/** Finds the faces of the frames of one file; what shows a face is kept to for the rest of it. */
export class SecondLook {
  private view = UPRIGHT;
  private isFound = false;

  constructor(private readonly finder: FaceFinder) {}

  get notes(): readonly Note[] {
    return this.view.note ? [this.view.note] : [];
  }

  /** The faces of each frame of a batch, in pixels of the frames as they are, turned or not. */
  async find(frames: readonly Frame[]): Promise<Face[][]> {
    const found = await this.seen(frames);
    this.isFound ||= best(found) >= SURE_SCORE;
    if (this.isFound || !frames.length) return found;
    const isSeen = found.some((faces) => faces.length > 0);
    const probe = frames[Math.floor(frames.length / 2)]!;
    for (const view of VIEWS) {
      const isSmall = view.note === "small_faces";
      if (isSeen && isSmall) break;
      this.view = view;
      // A face of the usual size is as well seen in a smaller picture, which is turned sooner.
      if (best(await this.seen([isSmall ? probe : shrunk(probe)])) >= (isSeen ? SURE_SCORE : LEAST_SCORE)) {
        this.isFound = true;
        return this.seen(frames);
      }
    }
    this.view = UPRIGHT;
    this.isFound = isSeen;
    return found;
  }

  private async seen(frames: readonly Frame[]): Promise<Face[][]> {
    const all: Face[][] = [];
    for (const frame of frames) all.push(await this.seenIn(frame));
    return all;
  }

  private async seenIn(frame: Frame): Promise<Face[]> {
    const { turns, minFaceShare, note } = this.view;
    const found = await this.finder.find({ ...frame, picture: turned(frame.picture, turns) }, minFaceShare);
    if (!note) return found;
    const { width, height } = frame.picture;
    return found
      .filter((face) => face.detectorScore >= LEAST_SCORE)
      .map((face) => turnedBack(face, turns, width, height));
  }
}

function best(found: readonly (readonly Face[])[]): number {
  return Math.max(0, ...found.flat().map((face) => face.detectorScore));
}

function shrunk(frame: Frame): Frame {
  const { width, height } = frame.picture;
  const scale = Math.sqrt(PROBED_PIXELS / (width * height));
  if (scale >= 1) return frame;
  const sides = [width, height].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  return { ...frame, picture: shrunkTo(frame.picture, ...sides) };
}

/** The picture after quarter turns, anticlockwise. */
export function turned(picture: Picture, turns: number): Picture {
  if (turns === 0) return picture;
  const { width, height, pixels } = picture;
  const isOnSide = turns % 2 === 1;
  const [newWidth, newHeight] = isOnSide ? [height, width] : [width, height];
  const out = new Uint8Array(pixels.length);
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      const [fromX, fromY] =
        turns === 1 ? [width - 1 - y, x] : turns === 2 ? [width - 1 - x, height - 1 - y] : [y, height - 1 - x];
      const from = (fromY * width + fromX) * 3;
      out.set(pixels.subarray(from, from + 3), (y * newWidth + x) * 3);
    }
  }
  return { width: newWidth, height: newHeight, pixels: out };
}

/** A face that was found in a turned picture, in pixels of the picture before, of this width and height. */
export function turnedBack(face: Face, turns: number, width: number, height: number): Face {
  const back = ([x, y]: Point): Point =>
    turns === 1 ? [width - y, x] : turns === 2 ? [width - x, height - y] : turns === 3 ? [y, height - x] : [x, y];
  const [left, top, right, bottom] = face.box;
  const [one, other] = [back([left, top]), back([right, bottom])];
  return {
    ...face,
    box: [
      Math.min(one[0], other[0]),
      Math.min(one[1], other[1]),
      Math.max(one[0], other[0]),
      Math.max(one[1], other[1]),
    ],
    landmarks: face.landmarks.map(back),
  };
}
