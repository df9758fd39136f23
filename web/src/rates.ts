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
  // Clips are few: of those it says how many, for a share of a hundred would say more than was seen.
  const number = (share: number, tested: number) => Math.round(share * (kind === "video" ? tested : 100));
  const values: Record<Label, Record<string, number>> = {
    fake: { wrong: number(real.shares.fake, real.count), count: real.count },
    real: {
      wrong: number(fake.shares.real, fake.count),
      unsure: number(fake.shares.inconclusive, fake.count),
      count: fake.count,
    },
    inconclusive: { unsure: number(unsure, count), count },
  };
  return say(`errs.${label}${kind === "video" ? "_video" : ""}`, values[label]);
}
