/** What travels between the stages, as in `deepfake/records`: picture -> Face -> Crop -> Score -> Verdict. */

/** RGB, three values a pixel, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** In [0, 255]; floating-point numbers where nothing may be rounded on the way. */
  readonly pixels: Uint8Array | Float32Array;
}

/** Left, top, right, bottom in pixels; right and bottom exclusive. */
export type Box = readonly [number, number, number, number];
export type Point = readonly [number, number];
/** `[[a, b, c], [d, e, f]]` row by row: x' = a x + b y + c, y' = d x + e y + f. */
export type Affine = readonly [number, number, number, number, number, number];
export type Label = "real" | "fake" | "inconclusive";
export type Reason = "no_face" | "face_too_small" | "too_few_frames" | "uncertain";
/** What a reader of the answer should know of how the file was looked at. */
export type Note = "turned" | "small_faces";
export type Kind = "picture" | "video";

export interface Frame {
  readonly picture: Picture;
  /** Position among the frames that were asked for. */
  readonly index: number;
  readonly timeS: number;
}

export interface Face {
  readonly box: Box;
  /** Eyes, nose, mouth corners; the subject's right eye first. */
  readonly landmarks: readonly Point[];
  readonly detectorScore: number;
  readonly frameIndex: number;
  /** Number of the person over time, from 0. */
  readonly track: number;
}

export interface CropSpec {
  readonly size: number;
  readonly scale: number;
  readonly shift: number;
  readonly tta_scales: readonly number[];
}

export interface Crop {
  readonly picture: Picture;
  readonly face: Face;
  /** From the crop's unit square to pixels of the frame. */
  readonly toFrame: Affine;
  /** Side of the crop in pixels of the frame. */
  readonly side: number;
  /** The same face in wider squares, from the narrowest to the widest. */
  readonly wider: readonly Crop[];
}

/** A square map, row by row. */
export interface Evidence {
  readonly side: number;
  readonly values: Float32Array;
}

export interface Score {
  readonly face: Face;
  readonly pFake: number;
  /** Weights in [0, 1] of the visual and of the noise stream. */
  readonly gate: readonly [number, number];
  readonly visualLogit: number;
  readonly noiseLogit: number;
  /** In steps of the calibrated logit. */
  readonly evidence: Evidence;
  readonly toFrame: Affine;
  readonly expertLogits: readonly number[];
  /** What the evidence lies over, to be shown. */
  readonly view: Picture;
}

export interface Thresholds {
  readonly real_below: number;
  readonly fake_above: number;
}

export interface Calibration {
  readonly temperature: number;
  readonly shift: number;
  readonly thresholds: Thresholds;
}

export interface Track {
  readonly number: number;
  readonly pFake: number;
  /** Number of scored faces. */
  readonly faces: number;
  readonly startS: number;
  readonly endS: number;
  readonly expertLogits: readonly number[];
}

/** A part of a video through which one person clearly looks fake. */
export interface Part {
  readonly track: number;
  readonly fromS: number;
  readonly toS: number;
  readonly pFake: number;
  readonly expertLogits: readonly number[];
}

export interface Verdict {
  readonly kind: Kind;
  readonly label: Label;
  readonly reason: Reason | null;
  readonly pFake: number | null;
  readonly thresholds: Thresholds;
  readonly faceThresholds: Thresholds;
  readonly scores: readonly Score[];
  readonly times: ReadonlyMap<number, number>;
  readonly tracks: readonly Track[];
  readonly parts: readonly Part[];
  readonly experts: readonly string[];
  readonly notes: readonly Note[];
  readonly framesRead: number;
}

/** Part of a `bundle.json` that is read here. */
export interface Bundle {
  readonly name: string;
  readonly crop: CropSpec;
  readonly min_face_px: number;
  readonly min_frames: number;
  readonly calibration: {
    readonly face: Calibration;
    readonly track: Calibration;
    readonly part: Calibration | null;
  };
  readonly experts: readonly string[];
}
