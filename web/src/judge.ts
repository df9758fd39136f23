/** A file -> its verdict, shown as it comes. */

import { answerBox, notice } from "./answer_view";
import type { Worked } from "./ask";
import { addressOf, element } from "./element";
import { cards, drawBoxes, drawHeat } from "./faces_view";
import type { Loaded } from "./messages";
import { pictureOf } from "./picture";
import type { Frame, Kind, Score, Verdict } from "./records";
import { numbersOf } from "./numbers";
import type { Stage } from "./stage";
import { timeline } from "./timeline";
import { FRAMES, framesOf, jumped, playerOf } from "./video";
import type { Say } from "./words";

/** Frames that are searched together, as everywhere in this program. */
const BATCH = 8;
const VIDEO_NAME = /\.(mp4|m4v|mov|webm|mkv|ogv|3gp)$/i;

/** Judges files and shows the answers; what is aborted shows nothing more. */
export class Judge {
  constructor(
    private readonly worked: Worked,
    private readonly loaded: Promise<Loaded>,
    private readonly stage: Stage,
  ) {}

  async judge(file: File, signal: AbortSignal): Promise<void> {
    const { say } = this.stage;
    this.stage.tell(notice("busy", say("answer.busy")));
    const { rates, bundle } = await this.loaded;
    const started = performance.now();
    const isVideo = file.type.startsWith("video/") || VIDEO_NAME.test(file.name);
    const verdict = await (isVideo ? this.video(file, signal) : this.picture(file, signal));
    if (signal.aborted) return;
    const numbers = numbersOf(verdict, bundle.name);
    const elapsed = { elapsed_s: Math.round(performance.now() - started) / 1000 };
    this.stage.answer(
      answerBox(verdict, rates, say),
      download({ path: file.name, ...numbers, ...elapsed }, signal, say),
    );
  }

  private async picture(file: File, signal: AbortSignal): Promise<Verdict> {
    const { picture, canvas } = await pictureOf(file);
    if (!signal.aborted) this.stage.show(canvas);
    const verdict = await this.verdict("picture", [[{ picture, index: 0, timeS: 0 }]]);
    if (signal.aborted || !verdict.scores.length) return verdict;
    drawBoxes(canvas.getContext("2d")!, verdict.scores, verdict.faceThresholds);
    const heat = element("canvas", {
      className: "heat",
      width: canvas.width,
      height: canvas.height,
      ariaHidden: "true",
    });
    drawHeat(heat.getContext("2d")!, verdict.scores);
    this.stage.show(
      element("div", { className: "stack" }, canvas, heat),
      this.caption(),
      this.cards(verdict, verdict.scores, null),
    );
    this.stage.showHeat();
    return verdict;
  }

  private async video(file: File, signal: AbortSignal): Promise<Verdict> {
    const player = await playerOf(file, signal);
    if (!signal.aborted) this.stage.show(player);
    const verdict = await this.verdict("video", this.batches(player, signal));
    if (signal.aborted || !verdict.scores.length) return verdict;
    player.controls = true;
    const shown = element("div");
    const choose = (score: Score): void => {
      void jumped(player, verdict.times.get(score.face.frameIndex)!);
      shown.replaceChildren(this.cards(verdict, [score], verdict.times));
    };
    shown.append(this.cards(verdict, mostSuspicious(verdict), verdict.times));
    this.stage.show(player, timeline(verdict, this.stage.say, choose), this.caption(), shown);
    this.stage.showHeat();
    return verdict;
  }

  private async *batches(player: HTMLVideoElement, signal: AbortSignal): AsyncGenerator<Frame[]> {
    let batch: Frame[] = [];
    for await (const frame of framesOf(player)) {
      if (signal.aborted) return;
      batch.push(frame);
      this.stage.progress(frame.index + 1, FRAMES);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    if (batch.length) yield batch;
  }

  private async verdict(kind: Kind, batches: Iterable<Frame[]> | AsyncIterable<Frame[]>): Promise<Verdict> {
    await this.worked.ask("begin", kind);
    for await (const batch of batches) await this.worked.ask("add", batch);
    return this.worked.ask("verdict", null);
  }

  private caption(): HTMLElement {
    const { say } = this.stage;
    return element(
      "p",
      { className: "caption" },
      element("strong", {}, `${say("heat.title")}: ${say("heat.legend")}.`),
    );
  }

  private cards(verdict: Verdict, scores: readonly Score[], times: Verdict["times"] | null): HTMLElement {
    return element("div", { className: "cards" }, ...cards(scores, verdict.faceThresholds, times, this.stage.say));
  }
}

function download(numbers: object, signal: AbortSignal, say: Say): HTMLElement {
  const href = addressOf(new Blob([JSON.stringify(numbers, null, 2)], { type: "application/json" }), signal);
  return element("p", { className: "caption" }, element("a", { href, download: "numbers.json" }, say("page.json")));
}

/** The most suspicious face of each person. */
function mostSuspicious({ tracks, scores }: Verdict): Score[] {
  return tracks.map(({ number }) =>
    scores
      .filter((score) => score.face.track === number)
      .reduce((one, other) => (other.pFake > one.pFake ? other : one)),
  );
}
