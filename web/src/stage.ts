/** Where the page shows what it does: the answer, and what it is about. */

import { bar, notice } from "./answer_view";
import { found } from "./element";
import { Refused } from "./picture";
import type { Say } from "./words";

/** Screens that are narrower have one column, as the style sheet says. */
const NARROW_PX = 768;

export class Stage {
  private readonly said = found("said");
  private readonly shown = found("shown");
  private readonly heat = found("heat");
  private readonly start = found("camera");
  private readonly stop = found("stop");

  constructor(readonly say: Say) {}

  /** Empties it for what comes next; `live` is whether that goes on until it is stopped. */
  begin({ live }: { readonly live: boolean }): void {
    this.said.replaceChildren();
    this.shown.replaceChildren();
    this.heat.hidden = true;
    this.setLive(live);
  }

  /** Shows an answer: on a narrow screen it lies below what was chosen from. */
  answer(...content: readonly Node[]): void {
    this.tell(...content);
    if (window.innerWidth < NARROW_PX) this.said.scrollIntoView({ block: "start" });
  }

  tell(...content: readonly Node[]): void {
    this.said.replaceChildren(...content);
  }

  show(...content: readonly Node[]): void {
    this.shown.replaceChildren(...content);
  }

  /** Lets the strength of the heat maps be chosen: there are some. */
  showHeat(): void {
    this.heat.hidden = false;
  }

  progress(done: number, total: number): void {
    const box = notice("busy", this.say("answer.progress", { done, total }));
    box.append(bar(done / total, this.say("answer.progress_bar")));
    this.tell(box);
  }

  /** Says why there is no answer. */
  fail(error: unknown): void {
    this.setLive(false);
    const [title, text] =
      error instanceof Refused
        ? [this.say(error.title), this.say(error.reason)]
        : [this.say("page.stopped"), error instanceof Error ? error.message : String(error)];
    this.answer(notice("error", title, text));
  }

  private setLive(live: boolean): void {
    this.stop.hidden = !live;
    this.start.hidden = live;
  }
}
