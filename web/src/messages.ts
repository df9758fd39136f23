/** What the page asks the thread that does the work, and what that answers. */

import type { Rates } from "./rates";
import type { Bundle, Frame, Kind, Score, Verdict } from "./records";

export interface Loaded {
  readonly bundle: Bundle;
  readonly rates: Rates;
  /** The files of the runtime that this browser needs, besides the others. */
  readonly runtime: readonly string[];
}

/** Each task with what it takes and what it answers. */
export interface Tasks {
  load: [null, Loaded];
  begin: [Kind, null];
  add: [readonly Frame[], readonly Score[]];
  verdict: [null, Verdict];
  look: [Frame, readonly Score[]];
}

export type Task = keyof Tasks;
export type Request = {
  readonly [T in Task]: { readonly number: number; readonly task: T; readonly given: Tasks[T][0] };
}[Task];
export type Reply =
  | { readonly number: number; readonly answer: Tasks[Task][1] }
  | { readonly number: number; readonly error: string }
  | { readonly bytes: number };
