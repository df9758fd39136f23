/** Asks the thread that does the work. */

import type { Reply, Task, Tasks } from "./messages";
import type { Frame } from "./records";

export class Worked {
  private readonly worker = new Worker("worker.js");
  private readonly open = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  private count = 0;

  /** @param onBytes Called with the number of bytes of the detector that arrived each time. */
  constructor(onBytes: (count: number) => void) {
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if ("bytes" in data) return onBytes(data.bytes);
      const asked = this.open.get(data.number)!;
      this.open.delete(data.number);
      if ("error" in data) asked.reject(new Error(data.error));
      else asked.resolve(data.answer as never);
    };
    this.worker.onerror = ({ message }) => {
      for (const { reject } of this.open.values()) reject(new Error(message));
      this.open.clear();
    };
  }

  /** The answer to a task; frames that are given belong to the other thread from then on. */
  ask<T extends Task>(task: T, given: Tasks[T][0]): Promise<Tasks[T][1]> {
    const number = this.count++;
    const frames = (Array.isArray(given) ? given : [given]).filter((one): one is Frame => one?.picture !== undefined);
    return new Promise<Tasks[T][1]>((resolve, reject) => {
      this.open.set(number, { resolve, reject });
      this.worker.postMessage(
        { number, task, given },
        frames.map(({ picture }) => picture.pixels.buffer as ArrayBuffer),
      );
    });
  }
}
