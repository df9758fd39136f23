/** Proposals that overlap -> the best of them: non-maximum suppression as `deepfake/faces/mtcnn.py` does it. */

/** Left, top, right, bottom, score, and what follows. */
export type Row = readonly number[];

const MAX_PROPOSALS = 4000;

/** The rows that overlap none of a higher score by more than `limit`; a row that was itself dropped still drops others. */
export function nms(rows: readonly Row[], limit: number, over: "union" | "smaller" = "union"): Row[] {
  const best = [...rows].sort((one, other) => other[4]! - one[4]!).slice(0, MAX_PROPOSALS);
  return best.filter((row, place) => {
    for (let better = 0; better < place; better++) if (overlaps(best[better]!, row, limit, over)) return false;
    return true;
  });
}

function overlaps(one: Row, other: Row, limit: number, over: "union" | "smaller"): boolean {
  const width = Math.min(one[2]!, other[2]!) - Math.max(one[0]!, other[0]!);
  const height = Math.min(one[3]!, other[3]!) - Math.max(one[1]!, other[1]!);
  const shared = Math.max(width, 0) * Math.max(height, 0);
  const whole = over === "union" ? area(one) + area(other) - shared : Math.min(area(one), area(other));
  return shared > limit * whole;
}

function area(row: Row): number {
  return (row[2]! - row[0]!) * (row[3]! - row[1]!);
}
