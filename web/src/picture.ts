/** A file, or what a player shows -> a picture. */

import type { Picture } from "./records";

/** Larger pictures are refused before they are drawn, as everywhere in this program. */
export const MAX_PIXELS = 50_000_000;
/** How a file begins that moves: a GIF that repeats, a WebP, a PNG, an AVIF. */
const MOVING = /^GIF8[^]*NETSCAPE2\.0|^RIFF[^]{4}WEBP[^]*ANIM|^[^]PNG[^]*acTL|^[^]{4}ftypavis/;
const HEAD_BYTES = 4096;

/** What was given cannot be judged; both are keys of the catalogue. */
export class Refused extends Error {
  constructor(
    readonly reason: string,
    readonly title = "page.unreadable",
  ) {
    super(reason);
  }
}

/** The picture in a file, upright, with white where it is transparent. */
export async function pictureOf(file: Blob): Promise<{ picture: Picture; canvas: HTMLCanvasElement }> {
  const head = new TextDecoder("latin1").decode(await file.slice(0, HEAD_BYTES).arrayBuffer());
  if (MOVING.test(head)) throw new Refused("try.moving");
  let bitmap: ImageBitmap;
  try {
    // Pixels as they are stored, as the networks learned from them: no colour profile is applied.
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" });
  } catch (error) {
    if (error instanceof DOMException) throw new Refused("try.unreadable");
    throw error;
  }
  if (bitmap.width * bitmap.height > MAX_PIXELS) throw new Refused("try.too_large");
  const canvas = document.createElement("canvas");
  const picture = drawn(bitmap, bitmap.width, bitmap.height, canvas);
  bitmap.close();
  return { picture, canvas };
}

/** The pixels of what is drawn, in a canvas that shows them. */
export function drawn(source: CanvasImageSource, width: number, height: number, canvas: HTMLCanvasElement): Picture {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  return withoutAlpha(context.getImageData(0, 0, width, height));
}

function withoutAlpha({ width, height, data }: ImageData): Picture {
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < pixels.length; from += 4) {
    pixels[to++] = data[from]!;
    pixels[to++] = data[from + 1]!;
    pixels[to++] = data[from + 2]!;
  }
  return { width, height, pixels };
}

/** A picture as a canvas takes it. */
export function shownPicture({ width, height, pixels }: Picture): ImageData {
  const image = new ImageData(width, height);
  for (let from = 0, to = 0; from < pixels.length; to += 4) {
    image.data.set([pixels[from++]!, pixels[from++]!, pixels[from++]!, 255], to);
  }
  return image;
}
