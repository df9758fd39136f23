/** A verdict -> its numbers, under the keys that `detect --json` uses. */

import type { Evidence, Score, Verdict } from "./records";
import { decisivePart, traceOf } from "./words";

/**
 * The numbers of a verdict.
 *
 * @param model Name of the model that answered.
 */
export function numbersOf(verdict: Verdict, model: string): object {
  const { experts, times } = verdict;
  const part = decisivePart(verdict);
  const named = (logits: readonly number[]): object =>
    Object.fromEntries(experts.map((name, at) => [name, rounded(logits[at]!, 3)]));
  const face = ({ face, ...score }: Score): object => ({
    track: face.track,
    frame: face.frameIndex,
    time_s: rounded(times.get(face.frameIndex)!, 3),
    box_xyxy: face.box.map((edge) => rounded(edge, 1)),
    p_fake: rounded(score.pFake, 4),
    visual_logit: rounded(score.visualLogit, 3),
    noise_logit: rounded(score.noiseLogit, 3),
    experts: named(score.expertLogits),
    evidence: rows(score.evidence),
  });
  return {
    kind: verdict.kind,
    verdict: verdict.label,
    reason: verdict.reason,
    p_fake: verdict.pFake === null ? null : rounded(verdict.pFake, 4),
    trace: traceOf(verdict),
    from_s: part ? rounded(part.fromS, 3) : null,
    to_s: part ? rounded(part.toS, 3) : null,
    thresholds: verdict.thresholds,
    faces: verdict.scores.map(face),
    tracks: verdict.tracks.map((track) => ({
      track: track.number,
      p_fake: rounded(track.pFake, 4),
      experts: named(track.expertLogits),
      faces: track.faces,
      start_s: rounded(track.startS, 3),
      end_s: rounded(track.endS, 3),
    })),
    parts: verdict.parts.map((own) => ({
      track: own.track,
      from_s: rounded(own.fromS, 3),
      to_s: rounded(own.toS, 3),
      p_fake: rounded(own.pFake, 4),
      experts: named(own.expertLogits),
    })),
    frames_read: verdict.framesRead,
    notes: verdict.notes,
    model: { name: model },
  };
}

function rows({ side, values }: Evidence): number[][] {
  return Array.from({ length: side }, (_, row) =>
    Array.from(values.subarray(row * side, (row + 1) * side), (value) => rounded(value, 4)),
  );
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
