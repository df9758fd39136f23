/** A video file -> frames spread evenly over it, as a player shows them, each once. */

import { shrunkTo } from "./area";
import { addressOf } from "./element";
import { drawn, MAX_PIXELS, Refused } from "./picture";
import type { Frame, Picture } from "./records";

/** Frames of one video that are looked at. */
export const FRAMES = 24;
const AFAR = 64;
/** What coding alone changes in a part of a picture seen from afar. */
const CODING = 2;
/** Players count in whole microseconds: a frame that begins at the very time that is asked for would be missed. */
const NUDGE_S = 1e-3;
/** A player that says nothing for so long of the frame that it shows, shows the one that was asked for. */
const PATIENCE_MS = 300;

/** The middle of each of equal parts of a time. */
export function sampledTimes(durationS: number, frames = FRAMES): number[] {
  return Array.from({ length: frames }, (_, part) => (durationS * (2 * part + 1)) / (2 * frames));
}

/** A player for a file, ready to jump; it holds the file until it is aborted. */
export async function playerOf(file: Blob, signal: AbortSignal): Promise<HTMLVideoElement> {
  const player = document.createElement("video");
  Object.assign(player, { muted: true, playsInline: true, preload: "auto", src: addressOf(file, signal) });
  await happened(player, "loadeddata");
  if (player.duration === Infinity) await jumped(player, Number.MAX_SAFE_INTEGER);
  if (!(player.duration > 0) || !player.videoWidth) throw new Refused("try.unreadable");
  if (player.videoWidth * player.videoHeight > MAX_PIXELS) throw new Refused("try.too_large");
  return player;
}

/** The frames at the sampled times that show something else than the one before. */
export async function* framesOf(player: HTMLVideoElement): AsyncGenerator<Frame> {
  const canvas = document.createElement("canvas");
  let before: Picture["pixels"] | null = null;
  for (const [index, target] of sampledTimes(player.duration).entries()) {
    const timeS = await jumped(player, target);
    const picture = drawn(player, player.videoWidth, player.videoHeight, canvas);
    const afar = shrunkTo(picture, AFAR, AFAR).pixels;
    if (before && afar.every((value, at) => Math.abs(value - before![at]!) <= CODING)) continue;
    before = afar;
    yield { picture, index, timeS };
  }
}

/** Jumps to a time, and returns that of the frame that is shown then. */
export async function jumped(player: HTMLVideoElement, timeS: number): Promise<number> {
  const shown = shownTime(player, timeS);
  player.currentTime = timeS + NUDGE_S;
  await happened(player, "seeked");
  return shown;
}

function shownTime(player: HTMLVideoElement, asked: number): Promise<number> {
  if (!("requestVideoFrameCallback" in player)) return Promise.resolve(asked);
  return new Promise((resolve) => {
    player.requestVideoFrameCallback((_, { mediaTime }) => resolve(mediaTime));
    player.addEventListener("seeked", () => setTimeout(() => resolve(asked), PATIENCE_MS), { once: true });
  });
}

function happened(player: HTMLVideoElement, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    player.addEventListener(event, () => resolve(), { once: true });
    player.addEventListener("error", () => reject(new Refused("try.unreadable")), { once: true });
  });
}
