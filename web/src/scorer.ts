/** Crops -> Scores: the detector's graph, the mean over a face's views, and the calibration of its logit. */

import { pFakeOf } from "./calibration";
import { joined, meanOf } from "./evidence";
import type { Bundle, Crop, Picture, Score } from "./records";
import { type Answers, Network } from "./runtime";

export class Scorer {
  private readonly network: Network;

  constructor(
    graph: Uint8Array,
    private readonly bundle: Bundle,
  ) {
    this.network = new Network(graph, ([count]) => [[count!], [count!]]);
  }

  async score(crop: Crop): Promise<Score> {
    const views = [crop, ...crop.wider];
    const answers: Answers[] = [];
    for (const view of views) answers.push(await this.run(view.picture));
    const { face } = this.bundle.calibration;
    const [visual, noise] = ["visual_evidence", "noise_evidence"].map((name) => {
      const maps = answers.map((answer) => answer[name]!.map((value) => value / face.temperature));
      return joined(
        views.map(({ toFrame }, k) => ({ toFrame, evidence: { side: Math.sqrt(maps[k]!.length), values: maps[k]! } })),
      );
    }) as [Score["evidence"], Score["evidence"]];
    const mean = (name: string): number[] =>
      [...answers[0]![name]!].map((_, at) => meanOf(answers.map((answer) => answer[name]![at]!)));
    return {
      face: crop.face,
      pFake: pFakeOf(face, mean("logit")[0]!),
      gate: mean("gate") as [number, number],
      visualLogit: meanOf(visual.values),
      noiseLogit: meanOf(noise.values),
      evidence: { side: visual.side, values: visual.values.map((value, at) => value + noise.values[at]!) },
      toFrame: views.at(-1)!.toFrame,
      expertLogits: this.bundle.experts.length ? mean("expert_logits") : [],
      view: views.at(-1)!.picture,
    };
  }

  private async run(picture: Picture): Promise<Answers> {
    const answers = await this.network.run(new Float32Array(picture.pixels), [1, picture.height, picture.width, 3]);
    const logit = answers["logit"]?.[0];
    if (logit === undefined || !Number.isFinite(logit)) throw new Error(`The graph answered ${logit}: it is damaged.`);
    return answers;
  }
}
