/** Frames -> a verdict: joins the stages, as `deepfake/pipeline.py`. */

import { ofPerson } from "./calibration";
import { cutCrop } from "./crop";
import { FaceFinder, type Graphs } from "./mtcnn";
import type { Bundle, Frame, Kind, Score, Verdict } from "./records";
import { Scorer } from "./scorer";
import { SecondLook } from "./second_look";
import { Tracker } from "./tracks";
import { decide } from "./verdict";

export class Detector {
  private readonly finder: FaceFinder;
  private readonly scorer: Scorer;

  constructor(
    readonly bundle: Bundle,
    graphs: Graphs,
    graph: Uint8Array,
  ) {
    this.finder = new FaceFinder(graphs);
    this.scorer = new Scorer(graph, bundle);
  }

  analysis(kind: Kind): Analysis {
    return new Analysis(this, kind);
  }

  /** Numbers and scores the faces of one frame, without a verdict: of a camera, each frame is judged by itself. */
  async look(frame: Frame): Promise<Score[]> {
    const faces = await this.finder.find(frame);
    return this.scored(
      frame,
      faces.map((face, track) => ({ ...face, track })),
    );
  }

  secondLook(): SecondLook {
    return new SecondLook(this.finder);
  }

  /** Scores those faces of a frame that are large enough. */
  async scored({ picture }: Frame, faces: readonly Score["face"][]): Promise<Score[]> {
    const scores: Score[] = [];
    for (const face of faces) {
      const crop = cutCrop(picture, face, this.bundle.crop);
      if (crop.side >= this.bundle.min_face_px) scores.push(await this.scorer.score(crop));
    }
    return scores;
  }
}

/** One file that is being looked at. */
export class Analysis {
  private readonly looks: SecondLook;
  private readonly tracker = new Tracker();
  private readonly scores: Score[] = [];
  private readonly times = new Map<number, number>();
  private facesFound = 0;

  constructor(
    private readonly detector: Detector,
    private readonly kind: Kind,
  ) {
    this.looks = detector.secondLook();
  }

  /** Looks at the next frames, in order of time, and returns the scores of their faces. */
  async add(frames: readonly Frame[]): Promise<Score[]> {
    const found = await this.looks.find(frames);
    const added: Score[] = [];
    for (const [place, frame] of frames.entries()) {
      const faces = this.tracker.follow(frame.picture, found[place]!);
      this.times.set(frame.index, frame.timeS);
      this.facesFound += faces.length;
      added.push(...(await this.detector.scored(frame, faces)));
    }
    this.scores.push(...added);
    return added;
  }

  verdict(): Verdict {
    const { bundle } = this.detector;
    const inVideo = this.kind === "video";
    const calibration = ofPerson(bundle, this.kind);
    const part = inVideo ? bundle.calibration.part : null;
    const decision = decide(
      this.scores,
      this.times,
      calibration,
      inVideo ? bundle.min_frames : 1,
      this.facesFound,
      part,
    );
    return {
      ...decision,
      kind: this.kind,
      faceThresholds: bundle.calibration.face.thresholds,
      scores: this.scores,
      times: this.times,
      experts: bundle.experts,
      notes: this.looks.notes,
      framesRead: this.times.size,
    };
  }
}
