/** A verdict -> the box that says it in words. */

import { element } from "./element";
import { errorSentence, type Rates } from "./rates";
import type { Verdict } from "./records";
import { headline, ICONS, type Say, sentences } from "./words";

export function answerBox(verdict: Verdict, rates: Rates, say: Say): HTMLElement {
  const { label, pFake } = verdict;
  const box = element("div", { className: `answer ${label}` });
  box.append(
    element("h2", {}, icon(ICONS[label]), ` ${headline(verdict, say)}`),
    element("p", {}, sentences(verdict, say).join(" ")),
  );
  if (pFake === null) return box;
  box.append(
    element("p", {}, errorSentence(verdict, rates, say)),
    element(
      "details",
      {},
      element("summary", {}, say("answer.numbers")),
      element("p", {}, number(verdict, pFake, say)),
      scale(verdict, pFake),
    ),
  );
  return box;
}

/** A message in the place of an answer. */
export function notice(kind: "busy" | "error", title: string, text = ""): HTMLElement {
  const box = element("div", { className: `answer ${kind}` }, element("h2", {}, title));
  if (text) box.append(element("p", {}, text));
  return box;
}

/** How much of something is done, from 0 to 1. */
export function bar(share: number, label: string): HTMLElement {
  const made = element("progress", { max: 1, value: share });
  made.ariaLabel = label;
  return made;
}

function number({ thresholds }: Verdict, pFake: number, say: Say): string {
  return say("answer.number", {
    p_fake: pFake.toFixed(2),
    low: thresholds.real_below.toFixed(2),
    high: thresholds.fake_above.toFixed(2),
  });
}

/** A bar from 0 to 1: the real end, the inconclusive band, the fake end, and a mark at p_fake. */
function scale({ thresholds }: Verdict, pFake: number): HTMLElement {
  const mark = element("span", { className: "mark" });
  mark.style.left = `${100 * pFake}%`;
  const made = element("div", { className: "scale", ariaHidden: "true" }, mark);
  made.style.setProperty("--low", `${100 * thresholds.real_below}%`);
  made.style.setProperty("--high", `${100 * thresholds.fake_above}%`);
  return made;
}

function icon(sign: string): HTMLElement {
  return element("span", { ariaHidden: "true" }, sign);
}
