/** The frames of a camera, each judged by itself as it comes. */

import { shrunkTo } from "./area";
import { drawn, Refused } from "./picture";
import type { Frame } from "./records";

/** Longer side of a frame that is judged. */
const SIDE = 480;

export class Camera {
  private readonly canvas = document.createElement("canvas");
  private count = 0;

  private constructor(readonly player: HTMLVideoElement) {}

  static async start(): Promise<Camera> {
    const player = document.createElement("video");
    Object.assign(player, { muted: true, playsInline: true });
    try {
      player.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    } catch (error) {
      if (error instanceof DOMException || error instanceof TypeError) throw new Refused("try.no_camera", "page.live");
      throw error;
    }
    await player.play();
    return new Camera(player);
  }

  frame(): Frame {
    const { videoWidth, videoHeight } = this.player;
    const picture = drawn(this.player, videoWidth, videoHeight, this.canvas);
    const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight));
    const small =
      scale < 1 ? shrunkTo(picture, Math.round(videoWidth * scale), Math.round(videoHeight * scale)) : picture;
    return { picture: small, index: this.count++, timeS: this.player.currentTime };
  }

  stop(): void {
    for (const track of (this.player.srcObject as MediaStream).getTracks()) track.stop();
  }
}
