/** Scores -> a verdict: face -> person -> part -> clip, as `deepfake/verdict.py`. */

import { labelOf, logitOf, pFakeOf } from "./calibration";
import type { Calibration, Label, Part, Reason, Score, Thresholds, Track } from "./records";

const TRIMMED_SHARE = 0.2;
const PART_S = 1;
const PART_FACES = 5;

export type Times = ReadonlyMap<number, number>;

export interface Decision {
  readonly label: Label;
  readonly reason: Reason | null;
  readonly pFake: number | null;
  /** Those that this p_fake was held against: the person's, or the part's. */
  readonly thresholds: Thresholds;
  readonly tracks: readonly Track[];
  readonly parts: readonly Part[];
}

/**
 * Joins the scores of one file into one answer.
 *
 * @param facesFound Faces that were found, whether scored or too small.
 * @param partCalibration Of the robust mean over a part of a video; null where no part decides.
 */
export function decide(
  scores: readonly Score[],
  times: Times,
  calibration: Calibration,
  minFrames: number,
  facesFound: number,
  partCalibration: Calibration | null,
): Decision {
  const tracks = tracksOf(scores, times, calibration);
  const judged = tracks.filter((track) => track.faces >= minFrames);
  if (!judged.length) {
    const reason = tracks.length ? "too_few_frames" : facesFound ? "face_too_small" : "no_face";
    return { label: "inconclusive", reason, pFake: null, thresholds: calibration.thresholds, tracks, parts: [] };
  }
  const parts = partCalibration ? partsOf(scores, times, partCalibration) : [];
  const own = labelOf(judged[0]!.pFake, calibration.thresholds);
  const decides = parts.length > 0 && own !== "fake";
  const { thresholds } = decides ? partCalibration! : calibration;
  const label = decides ? "fake" : own;
  const pFake = decides ? parts[0]!.pFake : judged[0]!.pFake;
  return { label, reason: label === "inconclusive" ? "uncertain" : null, pFake, thresholds, tracks, parts };
}

function tracksOf(scores: readonly Score[], times: Times, calibration: Calibration): Track[] {
  const tracks = [...byTrack(scores)].map(([number, own]): Track => ({
    number,
    pFake: pFakeOf(calibration, meanLogit(own)),
    faces: own.length,
    startS: timeOf(own[0]!, times),
    endS: timeOf(own.at(-1)!, times),
    expertLogits: meanExperts(own),
  }));
  return tracks.sort((one, other) => other.pFake - one.pFake || one.number - other.number);
}

function partsOf(scores: readonly Score[], times: Times, calibration: Calibration): Part[] {
  const parts = [...byTrack(scores)].flatMap(([track, own]) => {
    const passed = windows(own, times)
      .map((window) => ({ ...window, pFake: pFakeOf(calibration, meanLogit(own.slice(window.start, window.stop))) }))
      .filter(({ pFake }) => pFake >= calibration.thresholds.fake_above);
    return touching(passed).map((group): Part => {
      const whole = own.slice(group[0]!.start, group.at(-1)!.stop);
      const fakes = whole.filter((score) => score.pFake >= 0.5);
      const seen = fakes.length ? fakes : whole;
      const worst = group.reduce((one, other) => (other.pFake > one.pFake ? other : one));
      return {
        track,
        fromS: timeOf(seen[0]!, times),
        toS: timeOf(seen.at(-1)!, times),
        pFake: worst.pFake,
        expertLogits: meanExperts(own.slice(worst.start, worst.stop)),
      };
    });
  });
  return parts.sort((one, other) => other.pFake - one.pFake || one.track - other.track || one.fromS - other.fromS);
}

interface Window {
  readonly start: number;
  readonly stop: number;
}

/** The shortest parts of one person's time that are judged by themselves. */
function windows(own: readonly Score[], times: Times): Window[] {
  const found: Window[] = [];
  let stop = 0;
  for (let start = 0; start < own.length; start++) {
    stop = Math.max(stop, start + PART_FACES);
    while (stop <= own.length && timeOf(own[stop - 1]!, times) - timeOf(own[start]!, times) < PART_S) stop++;
    if (stop > own.length) break;
    found.push({ start, stop });
  }
  return found;
}

/** Windows in order of time -> groups of which each overlaps the next. */
function touching<W extends Window>(passed: readonly W[]): W[][] {
  const groups: W[][] = [];
  for (const window of passed) {
    const last = groups.at(-1);
    if (last && window.start < last.at(-1)!.stop) last.push(window);
    else groups.push([window]);
  }
  return groups;
}

function byTrack(scores: readonly Score[]): Map<number, Score[]> {
  const found = new Map<number, Score[]>();
  for (const score of [...scores].sort((one, other) => one.face.frameIndex - other.face.frameIndex)) {
    found.set(score.face.track, [...(found.get(score.face.track) ?? []), score]);
  }
  return found;
}

function meanLogit(scores: readonly Score[]): number {
  return trimmedMean(scores.map((score) => logitOf(score.pFake)));
}

function meanExperts(scores: readonly Score[]): number[] {
  return scores[0]!.expertLogits.map((_, expert) => trimmedMean(scores.map((score) => score.expertLogits[expert]!)));
}

/** Mean of the middle: the lowest and highest fifth are left out. */
export function trimmedMean(values: readonly number[]): number {
  if (!values.length) throw new RangeError("`values` must hold at least one number. Received none.");
  const out = Math.trunc(values.length * TRIMMED_SHARE);
  const kept = [...values].sort((one, other) => one - other).slice(out, values.length - out);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

function timeOf(score: Score, times: Times): number {
  return times.get(score.face.frameIndex)!;
}
