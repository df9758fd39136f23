/** Verdict -> words, as `deepfake/report/words.py`; the words themselves come from the same catalogue. */

import { labelOf } from "./calibration";
import type { Label, Part, Thresholds, Track, Verdict } from "./records";
import { regionOf } from "./region";

const VERY_LIKELY = 0.95;
const TRACES = ["blended", "generated"];
export const ICONS: Readonly<Record<Label, string>> = { real: "✔", fake: "⚠", inconclusive: "?" };

/** The words for a key, with values in the place of their names in braces. */
export type Say = (key: string, values?: Readonly<Record<string, string | number>>) => string;

export function saying(words: Readonly<Record<string, string>>): Say {
  return (key, values = {}) => {
    const text = words[key];
    if (text === undefined) throw new RangeError(`The catalogue has no words for ${key}.`);
    return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? `{${name}}`));
  };
}

/** The answer in a few words. */
export function headline(verdict: Verdict, say: Say): string {
  const { label, reason, pFake } = verdict;
  if (reason) return `${say("answer.inconclusive")}: ${say(`reason.${reason}`)}`;
  if (label !== "fake" || pFake === null) return say(`answer.${label}`);
  const likely = pFake >= VERY_LIKELY ? "very_likely" : "likely";
  const made = traceOf(verdict) === "generated" ? "generated" : "manipulated";
  return say(`answer.${likely}_${made}`, { score: ofHundred(pFake) });
}

/** The answer in sentences: what kind of trace, when and where, and how the file was looked at. */
export function sentences(verdict: Verdict, say: Say): string[] {
  const notes = verdict.notes.map((note) => say(`note.${note}`));
  if (verdict.reason) return [say(`sentence.${verdict.reason}`), ...notes];
  const which = verdict.tracks.length === 1 ? "" : "_of_many";
  if (verdict.label !== "fake") return [say(`sentence.real${which}`), ...notes];
  const trace = traceOf(verdict);
  const kind = trace === null ? "fake" : TRACES.includes(trace) ? trace : "other_trace";
  const told = [say(`sentence.${kind}${which}`, { trace: trace ?? "" })];
  const part = decisivePart(verdict);
  if (part)
    told.push(say("sentence.part", { start: part.fromS.toFixed(1), end: part.toS.toFixed(1), face: part.track + 1 }));
  const number = decisive(verdict)?.number;
  const fakes = verdict.scores.filter(
    (score) => score.face.track === number && score.pFake >= verdict.faceThresholds.fake_above,
  );
  if (fakes.length) told.push(say(`where.${regionOf(fakes)}`));
  return [...told, ...notes];
}

export function faceAnswer(pFake: number, thresholds: Thresholds, say: Say): { label: Label; words: string } {
  const label = labelOf(pFake, thresholds);
  return { label, words: `${ICONS[label]} ${say(`answer.${label}_face`)}, ${ofHundred(pFake)} ${say("page.score")}` };
}

/** A probability in whole parts of a hundred: never 0 or 100, for nothing is certain. */
export function ofHundred(pFake: number): number {
  return Math.min(Math.max(Math.round(100 * pFake), 1), 99);
}

/** The part that made a video fake; undefined where a person was judged over the whole time. */
export function decisivePart(verdict: Verdict): Part | undefined {
  return verdict.parts.find((part) => part.pFake === verdict.pFake);
}

function decisive(verdict: Verdict): Track | undefined {
  const part = decisivePart(verdict);
  return verdict.tracks.find((track) => (part ? track.number === part.track : track.pFake === verdict.pFake));
}

/** The kind of trace of a fake: that of the expert that says more. */
export function traceOf(verdict: Verdict): string | null {
  const logits = (decisivePart(verdict) ?? decisive(verdict))?.expertLogits ?? [];
  if (verdict.label !== "fake" || !logits.length) return null;
  return verdict.experts[logits.indexOf(Math.max(...logits))] ?? null;
}
