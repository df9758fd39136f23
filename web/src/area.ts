/** A picture -> a smaller one: each pixel the mean over the area under it, as OpenCV's `INTER_AREA`. */

import type { Picture } from "./records";

const CHANNELS = 3;
/** OpenCV leaves out what reaches less than this far into a pixel. */
const LEAST_REACH = 1e-3;

/** Half the width and half the height; a last odd line is averaged over what there is of it, or left out. */
export function halved(picture: Picture): Picture {
  return resized(picture, roundedToEven(picture.width / 2), roundedToEven(picture.height / 2), 2, 2);
}

/** The picture at a size that is no larger than its own. */
export function shrunkTo(picture: Picture, width: number, height: number): Picture {
  return resized(picture, width, height, picture.width / width, picture.height / height);
}

export function asFloats(picture: Picture): Picture {
  return picture.pixels instanceof Float32Array ? picture : { ...picture, pixels: new Float32Array(picture.pixels) };
}

/** To the nearest whole number; of two that are as near, to the even one. */
export function roundedToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest === 0.5 ? floor + (floor % 2) : rest < 0.5 ? floor : floor + 1;
}

function resized(picture: Picture, width: number, height: number, scaleX: number, scaleY: number): Picture {
  const columns = shares(width, picture.width, scaleX);
  const rows = shares(height, picture.height, scaleY);
  const isWhole = picture.pixels instanceof Uint8Array;
  const pixels = isWhole ? new Uint8Array(width * height * CHANNELS) : new Float32Array(width * height * CHANNELS);
  // OpenCV rounds the mean of four values up where it lies in the middle, and every other to the even number.
  const rounded = scaleX === 2 && scaleY === 2 ? (value: number) => Math.floor(value + 0.5) : roundedToEven;
  for (let y = 0; y < height; y++) {
    const means = across(down(picture, rows, y), columns, width);
    const start = y * means.length;
    for (let i = 0; i < means.length; i++) pixels[start + i] = isWhole ? rounded(means[i]!) : means[i]!;
  }
  return { width, height, pixels };
}

interface Shares {
  /** Where in the lists each pixel of the answer begins. */
  readonly starts: Int32Array;
  readonly places: Int32Array;
  readonly weights: Float64Array;
}

/** The mean over the lines under one of the answer's. */
function down({ pixels, width }: Picture, rows: Shares, y: number): Float64Array {
  const line = new Float64Array(width * CHANNELS);
  for (let k = rows.starts[y]!; k < rows.starts[y + 1]!; k++) {
    const start = rows.places[k]! * line.length;
    const share = rows.weights[k]!;
    for (let i = 0; i < line.length; i++) line[i]! += pixels[start + i]! * share;
  }
  return line;
}

/** The mean over the pixels of a line under each of the answer's. */
function across(line: Float64Array, { starts, places, weights }: Shares, width: number): Float64Array {
  const means = new Float64Array(width * CHANNELS);
  for (let x = 0, out = 0; x < width; x++, out += CHANNELS) {
    for (let k = starts[x]!; k < starts[x + 1]!; k++) {
      const at = places[k]! * CHANNELS;
      const share = weights[k]!;
      means[out]! += line[at]! * share;
      means[out + 1]! += line[at + 1]! * share;
      means[out + 2]! += line[at + 2]! * share;
    }
  }
  return means;
}

/** Which pixels lie under each pixel of the answer along one side, and how much of it they are. */
function shares(length: number, from: number, scale: number): Shares {
  const starts = new Int32Array(length + 1);
  const places: number[] = [];
  const weights: number[] = [];
  for (let at = 0; at < length; at++) {
    const low = at * scale;
    const high = low + scale;
    const whole = Math.min(scale, from - low);
    const last = Math.min(Math.floor(high), from - 1);
    const first = Math.min(Math.ceil(low), last);
    const put = (place: number, reach: number): void => {
      places.push(place);
      weights.push(reach / whole);
    };
    if (first - low > LEAST_REACH) put(first - 1, first - low);
    for (let place = first; place < last; place++) put(place, 1);
    if (high - last > LEAST_REACH) put(last, Math.min(high - last, 1, whole));
    starts[at + 1] = places.length;
  }
  return { starts, places: Int32Array.from(places), weights: Float64Array.from(weights) };
}
