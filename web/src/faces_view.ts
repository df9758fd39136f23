/** Scores -> what a person sees of faces: boxes and heat maps on a picture, and a card for each face. */

import { labelOf } from "./calibration";
import { element } from "./element";
import { type Colour, type Colours, heatLayer } from "./heatmap";
import { shownPicture } from "./picture";
import type { Label, Score, Thresholds } from "./records";
import { faceAnswer, type Say } from "./words";

/** Side of a face on its card, and of the heat map that is laid on a picture. */
const CARD_SIZE = 224;
/** Most faces that are shown. */
export const MAX_CARDS = 12;

/** The colours of the answers, as the style sheet has them. */
export function palette(): Colours & Record<Label, Colour> {
  const style = getComputedStyle(document.documentElement);
  const [real, fake, inconclusive] = ["real", "fake", "inconclusive"].map((label) => {
    const hex = style.getPropertyValue(`--${label}`).trim();
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as unknown as Colour;
  }) as [Colour, Colour, Colour];
  return { real, fake, inconclusive };
}

/** Draws the heat maps of faces where they were cut. */
export function drawHeat(context: CanvasRenderingContext2D, scores: readonly Score[]): void {
  for (const { evidence, toFrame } of scores) {
    const [a, b, c, d, e, f] = toFrame;
    context.save();
    context.transform(a / CARD_SIZE, d / CARD_SIZE, b / CARD_SIZE, e / CARD_SIZE, c, f);
    context.drawImage(canvasOf(heatLayer(evidence, CARD_SIZE, palette())), 0, 0);
    context.restore();
  }
}

/** Draws the box and the number of each face, in the colour of its answer. */
export function drawBoxes(context: CanvasRenderingContext2D, scores: readonly Score[], thresholds: Thresholds): void {
  const colours = palette();
  const line = Math.max(2, Math.round(Math.max(context.canvas.width, context.canvas.height) / 300));
  context.lineWidth = line;
  context.font = `bold ${7 * line}px system-ui, sans-serif`;
  for (const { face, pFake } of scores) {
    const [left, top, right, bottom] = face.box;
    const colour = `rgb(${colours[labelOf(pFake, thresholds)].join()})`;
    const number = String(face.track + 1);
    const width = context.measureText(number).width + 4 * line;
    context.strokeStyle = context.fillStyle = colour;
    context.strokeRect(left, top, right - left, bottom - top);
    context.fillRect(left - line / 2, top - line / 2, width, 9 * line);
    context.fillStyle = "#fff";
    context.fillText(number, left + 1.5 * line, top + 6.5 * line);
  }
}

/**
 * A card for each face: as the network saw it, under its heat map, with what each stream says.
 *
 * @param times When each frame was seen in seconds; null for a picture.
 */
export function cards(
  scores: readonly Score[],
  thresholds: Thresholds,
  times: ReadonlyMap<number, number> | null,
  say: Say,
): HTMLElement[] {
  return scores.slice(0, MAX_CARDS).map((score) => {
    const { face, pFake, view, evidence } = score;
    const number = face.track + 1;
    const { label, words } = faceAnswer(pFake, thresholds, say);
    const crop = describe(canvasOf(shownPicture(view)), say("heat.crop_of_face", { face: number }));
    const heat = describe(
      canvasOf(heatLayer(evidence, CARD_SIZE, palette())),
      `${say("heat.of_face", { face: number })}: ${say("heat.legend")}`,
    );
    heat.className = "heat";
    const name = times
      ? say("heat.face_at", { face: number, time: times.get(face.frameIndex)!.toFixed(2) })
      : say("heat.face", { face: number });
    return element(
      "figure",
      { className: `face ${label}` },
      element("div", { className: "stack" }, crop, heat),
      element(
        "figcaption",
        {},
        element("strong", {}, `${name}: ${words}`),
        element(
          "details",
          {},
          element("summary", {}, say("answer.numbers")),
          `p_fake ${pFake.toFixed(2)}. ${streams(score, say)}`,
        ),
      ),
    );
  });
}

function streams({ visualLogit, noiseLogit, gate }: Score, say: Say): string {
  const total = Math.abs(visualLogit) + Math.abs(noiseLogit);
  const visual = total ? Math.abs(visualLogit) / total : 0.5;
  const says = (logit: number): string => say(logit > 0 ? "heat.for_fake" : "heat.for_real");
  return say("heat.streams", {
    visual: `${Math.round(100 * visual)}%`,
    visual_says: says(visualLogit),
    noise: `${Math.round(100 * (1 - visual))}%`,
    noise_says: says(noiseLogit),
    visual_gate: gate[0].toFixed(2),
    noise_gate: gate[1].toFixed(2),
  });
}

function describe(canvas: HTMLCanvasElement, words: string): HTMLCanvasElement {
  canvas.role = "img";
  canvas.ariaLabel = words;
  return canvas;
}

function canvasOf(image: ImageData): HTMLCanvasElement {
  const canvas = element("canvas", { width: image.width, height: image.height });
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}
