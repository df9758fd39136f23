/** What was measured of the model -> how often it errs with such an answer, as `deepfake/report/error_rates.py`. */

import type { Kind, Label, Verdict } from "./records";
import type { Say } from "./words";

/** Of one collection: how many were tested, and the share of each answer among them. */
interface Called {
  readonly count: number;
  readonly shares: Readonly<Record<Label, number>>;
}

/** Null where nothing was measured. */
export type Rates = Readonly<Record<Kind, { readonly real: Called; readonly fake: Called } | null>>;

export function errorSentence({ kind, label }: Verdict, rates: Rates, say: Say): string {
  const measured = rates[kind];
  if (!measured) return say("errs.not_measured");
  const { real, fake } = measured;
  const count = real.count + fake.count;
  const unsure = (real.shares.inconclusive * real.count + fake.shares.inconclusive * fake.count) / count;
  const values: Record<Label, Record<string, number>> = {
    fake: { wrong: ofHundred(real.shares.fake), count: real.count },
    real: { wrong: ofHundred(fake.shares.real), unsure: ofHundred(fake.shares.inconclusive), count: fake.count },
    inconclusive: { unsure: ofHundred(unsure), count },
  };
  return say(`errs.${label}${kind === "video" ? "_video" : ""}`, values[label]);
}

function ofHundred(share: number): number {
  return Math.round(100 * share);
}
