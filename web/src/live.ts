/** A camera -> its frames, each with what is seen in it; never a verdict. */

import type { Worked } from "./ask";
import { Camera } from "./camera";
import { element } from "./element";
import { drawBoxes } from "./faces_view";
import type { Loaded } from "./messages";
import { shownPicture } from "./picture";
import type { Score, Thresholds } from "./records";
import type { Stage } from "./stage";
import { faceAnswer } from "./words";

/** Watches the camera until it is aborted. */
export async function watch(worked: Worked, loaded: Promise<Loaded>, stage: Stage, signal: AbortSignal): Promise<void> {
  const camera = await Camera.start();
  signal.addEventListener("abort", () => camera.stop());
  const canvas = element("canvas");
  stage.show(canvas);
  const thresholds = (await loaded).bundle.calibration.face.thresholds;
  for (let last = performance.now(); !signal.aborted;) {
    const frame = camera.frame();
    const image = shownPicture(frame.picture);
    const scores = await worked.ask("look", frame);
    if (signal.aborted) return;
    Object.assign(canvas, { width: image.width, height: image.height });
    const context = canvas.getContext("2d")!;
    context.putImageData(image, 0, 0);
    drawBoxes(context, scores, thresholds);
    const now = performance.now();
    stage.tell(liveBox(scores, thresholds, 1000 / (now - last), stage));
    last = now;
  }
}

function liveBox(scores: readonly Score[], thresholds: Thresholds, rate: number, { say }: Stage): HTMLElement {
  const lines = scores.map(({ pFake, face }) => {
    const { label, words } = faceAnswer(pFake, thresholds, say);
    return element("p", { className: `line ${label}` }, `${say("heat.face", { face: face.track + 1 })}: ${words}`);
  });
  return element(
    "div",
    { className: "answer live" },
    element("h2", {}, scores.length ? say("page.live") : say("reason.no_face")),
    ...lines,
    element("p", {}, say("page.live_rate", { rate: rate.toFixed(1) })),
    element("p", { className: "caption" }, say("page.live_text")),
  );
}
