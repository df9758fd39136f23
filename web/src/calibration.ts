/** A logit -> a probability and an answer, as `deepfake/model/calibration.py`. */

import type { Bundle, Calibration, Kind, Label, Thresholds } from "./records";

export function pFakeOf({ temperature, shift }: Calibration, logit: number): number {
  return sigmoid(logit / temperature + shift);
}

/** What turns the robust mean of a person's calibrated logits into the answer; in a picture nothing is left to be done. */
export function ofPerson({ calibration }: Bundle, kind: Kind): Calibration {
  return kind === "video" ? calibration.track : { temperature: 1, shift: 0, thresholds: calibration.face.thresholds };
}

export function labelOf(pFake: number, { real_below, fake_above }: Thresholds): Label {
  return pFake >= fake_above ? "fake" : pFake < real_below ? "real" : "inconclusive";
}

export function sigmoid(logit: number): number {
  return logit >= 0 ? 1 / (1 + Math.exp(-logit)) : Math.exp(logit) / (1 + Math.exp(logit));
}

/** The logit of a probability; of 0 and 1, of what comes just after or before them. */
export function logitOf(pFake: number): number {
  const inside = Math.min(Math.max(pFake, 1e-12), 1 - 1e-12);
  return Math.log(inside / (1 - inside));
}
