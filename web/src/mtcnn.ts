/** A picture -> its faces: the MTCNN cascade, as `deepfake/faces/mtcnn.py`. */

import { nms, type Row } from "./nms";
import { CELL, pyramid } from "./pyramid";
import type { Face, Frame, Picture } from "./records";
import { type Answers, Network } from "./runtime";
import { sampled } from "./warp";

export const MIN_FACE_SHARE = 0.06;
const PNET_THRESHOLD = 0.6;
const RNET_THRESHOLD = 0.7;
const ONET_THRESHOLD = 0.8;
const STRIDE = 2;
/** What R-Net and O-Net see beyond a picture's edge. */
const BEYOND = 128;
const RNET = { side: 24, batch: 16 };
const ONET = { side: 48, batch: 4 };

/** The networks' files. */
export interface Graphs {
  readonly pnet: Uint8Array;
  readonly rnet: Uint8Array;
  readonly onet: Uint8Array;
}

export class FaceFinder {
  private readonly pnet: Network;
  private readonly rnet: Network;
  private readonly onet: Network;

  constructor(graphs: Graphs) {
    this.pnet = new Network(graphs.pnet, ([count, height, width]) => [
      [count!, height!, width!],
      [count!, answered(height!), answered(width!)],
    ]);
    this.rnet = new Network(graphs.rnet, ([count]) => [[count!], [count!]]);
    this.onet = new Network(graphs.onet, ([count]) => [[count!], [count!]]);
  }

  /** The faces of a frame, the largest first; those below `minFaceShare` of its short side are not searched for. */
  async find({ picture, index }: Frame, minFaceShare = MIN_FACE_SHARE): Promise<Face[]> {
    const proposals = await this.proposed(picture, minFaceShare);
    const rows = await this.placed(picture, await this.refined(picture, proposals));
    return rows.map((row) => faceOf(row, index)).sort((one, other) => sizeOf(other) - sizeOf(one));
  }

  private async proposed(picture: Picture, minFaceShare: number): Promise<Row[]> {
    const found: Row[] = [];
    for (const { scale, picture: level } of pyramid(picture, minFaceShare)) {
      const answers = await this.pnet.run(normalised(level), [1, level.height, level.width, 3]);
      found.push(...nms(gridBoxes(answers, answered(level.width), scale), 0.5));
    }
    return nms(found, 0.7).map(squared);
  }

  private async refined(picture: Picture, proposals: readonly Row[]): Promise<Row[]> {
    const answers = await inParts(this.rnet, picture, proposals, RNET);
    const rows = proposals.map((row, place) => adjusted(row, answers, place)).filter((row) => row[4]! > RNET_THRESHOLD);
    return nms(rows, 0.7).map(squared);
  }

  private async placed(picture: Picture, proposals: readonly Row[]): Promise<Row[]> {
    const answers = await inParts(this.onet, picture, proposals, ONET);
    const rows = proposals.map((row, place) => [...adjusted(row, answers, place), ...marksOf(row, answers, place)]);
    return nms(
      rows.filter((row) => row[4]! > ONET_THRESHOLD),
      0.7,
      "smaller",
    );
  }
}

/** Longer side of a face's box. */
export function sizeOf({ box: [left, top, right, bottom] }: Pick<Face, "box">): number {
  return Math.max(right - left, bottom - top);
}

/** P-Net's answers along a side of so many pixels. */
function answered(length: number): number {
  return Math.ceil((length - 2) / STRIDE) - 4;
}

function normalised({ pixels }: Picture): Float32Array {
  const values = new Float32Array(pixels);
  // `map` and `from` take ten times as long.
  for (let at = 0; at < values.length; at++) values[at] = (values[at]! - 127.5) / 128;
  return values;
}

function gridBoxes({ box, probability }: Answers, columns: number, scale: number): Row[] {
  const rows: Row[] = [];
  for (let at = 0; at < box!.length / 4; at++) {
    const score = probability![2 * at + 1]!;
    if (score <= PNET_THRESHOLD) continue;
    const x = (at % columns) * STRIDE;
    const y = Math.floor(at / columns) * STRIDE;
    const edges = [x + 1, y + 1, x + CELL, y + CELL].map(
      (edge, side) => (edge + box![4 * at + side]! * (CELL - 1)) / scale,
    );
    rows.push([...edges, score]);
  }
  return rows;
}

function squared(row: Row): Row {
  const [left, top, right, bottom, ...rest] = row as [number, number, number, number];
  const side = Math.max(right - left, bottom - top);
  const x = left + (right - left - side) / 2;
  const y = top + (bottom - top - side) / 2;
  return [x, y, x + side, y + side, ...rest];
}

function adjusted(row: Row, { box, probability }: Answers, place: number): Row {
  const sides = [row[2]! - row[0]! + 1, row[3]! - row[1]! + 1];
  const edges = [0, 1, 2, 3].map((side) => row[side]! + box![4 * place + side]! * sides[side % 2]!);
  return [...edges, probability![2 * place + 1]!];
}

function marksOf(row: Row, { landmarks }: Answers, place: number): number[] {
  const [left, top, right, bottom] = row as [number, number, number, number];
  return Array.from(landmarks!.subarray(10 * place, 10 * place + 10), (mark, at) =>
    at < 5 ? (right - left + 1) * mark + left - 1 : (bottom - top + 1) * mark + top - 1,
  );
}

/** Runs a network on the part of a picture under each proposal, some at a time, so that there is one shape to set up. */
async function inParts(
  network: Network,
  picture: Picture,
  proposals: readonly Row[],
  { side, batch }: { side: number; batch: number },
): Promise<Answers> {
  const joined: Record<string, number[]> = {};
  for (let start = 0; start < proposals.length; start += batch) {
    const part = proposals.slice(start, start + batch);
    const values = new Float32Array(batch * side * side * 3);
    part.forEach((row, place) => values.set(normalised(patch(picture, row, side)), place * side * side * 3));
    for (const [name, found] of Object.entries(await network.run(values, [batch, side, side, 3]))) {
      (joined[name] ??= []).push(...found.subarray(0, (found.length / batch) * part.length));
    }
  }
  return Object.fromEntries(Object.entries(joined).map(([name, values]) => [name, Float32Array.from(values)]));
}

/** Samples of a box, corners on corners, as `tf.image.crop_and_resize` takes them. */
function patch(picture: Picture, row: Row, side: number): Picture {
  const [left, top, right, bottom] = row as [number, number, number, number];
  const shrinkX = (picture.width - 1) / picture.width;
  const shrinkY = (picture.height - 1) / picture.height;
  const stepX = ((right - left) * shrinkX) / (side - 1);
  const stepY = ((bottom - top) * shrinkY) / (side - 1);
  return sampled(picture, [stepX, 0, left * shrinkX, 0, stepY, top * shrinkY], side, BEYOND);
}

function faceOf(row: Row, frameIndex: number): Face {
  return {
    box: [row[0]!, row[1]!, row[2]!, row[3]!],
    landmarks: [5, 6, 7, 8, 9].map((at) => [Math.fround(row[at]!), Math.fround(row[at + 5]!)] as const),
    detectorScore: row[4]!,
    frameIndex,
    track: 0,
  };
}
