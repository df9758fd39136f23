/** A verdict about a video -> a chart of its faces over time, whose points can be chosen. */

import type { Score, Verdict } from "./records";
import { ofHundred, type Say } from "./words";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BELOW] = [640, 220, 44, 36];
/** Of the persons, in turn: seen on light and on dark ground. */
const COLOURS = ["#6366f1", "#0d9488", "#c026d3", "#ea580c", "#65a30d", "#0284c7"];

/** @param choose Called with a face that was chosen. */
export function timeline(verdict: Verdict, say: Say, choose: (score: Score) => void): SVGElement {
  const times = [...verdict.times.values()];
  const [start, end] = [Math.min(...times), Math.max(...times)];
  const x = (timeS: number): number => LEFT + 8 + ((WIDTH - LEFT - 20) * (timeS - start)) / Math.max(end - start, 0.01);
  const y = (pFake: number): number => 8 + (HEIGHT - BELOW - 16) * (1 - pFake);
  const chart = drawn("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    class: "timeline",
    role: "group",
    "aria-label": say("timeline.click"),
  });
  const { real_below, fake_above } = verdict.faceThresholds;
  chart.append(
    drawn("rect", {
      class: "band",
      x: LEFT,
      width: WIDTH - LEFT,
      y: y(fake_above),
      height: y(real_below) - y(fake_above),
    }),
    ...verdict.parts.map(({ fromS, toS }) =>
      drawn("rect", {
        class: "part",
        x: x(fromS),
        width: Math.max(x(toS) - x(fromS), 2),
        y: y(1),
        height: y(0) - y(1),
      }),
    ),
    ...[0, 50, 100].map((share) => text(String(share), LEFT - 8, y(share / 100) + 4, "end")),
    ...[start, end].map((timeS) =>
      text(`${timeS.toFixed(1)} s`, x(timeS), HEIGHT - 14, timeS === end && end > start ? "end" : "start"),
    ),
    text(say("timeline.x"), (LEFT + WIDTH) / 2, HEIGHT - 14, "middle"),
    text(say("timeline.band"), LEFT + 6, y(fake_above) + 14, "start"),
  );
  for (const { number } of verdict.tracks) {
    const own = verdict.scores.filter((score) => score.face.track === number);
    const places = own.map((score) => [x(verdict.times.get(score.face.frameIndex)!), y(score.pFake)] as const);
    const colour = COLOURS[number % COLOURS.length]!;
    chart.append(
      drawn("polyline", {
        points: places.map((place) => place.join()).join(" "),
        fill: "none",
        stroke: colour,
        "stroke-width": 2,
      }),
    );
    own.forEach((score, at) => chart.append(point(score, places[at]!, colour, verdict, say, choose)));
  }
  return chart;
}

function point(
  score: Score,
  [cx, cy]: readonly [number, number],
  colour: string,
  verdict: Verdict,
  say: Say,
  choose: (score: Score) => void,
): SVGElement {
  const time = verdict.times.get(score.face.frameIndex)!.toFixed(2);
  const words = `${say("timeline.face", { face: score.face.track + 1 })}, ${say("timeline.moment", { time, score: ofHundred(score.pFake) })}`;
  const dot = drawn("circle", { cx, cy, r: 5, fill: colour, tabindex: 0, role: "button", "aria-label": words });
  const title = drawn("title", {});
  title.textContent = words;
  dot.append(title);
  dot.addEventListener("click", () => choose(score));
  dot.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") choose(score);
  });
  return dot;
}

function text(words: string, x: number, y: number, anchor: string): SVGElement {
  const made = drawn("text", { x, y, "text-anchor": anchor });
  made.textContent = words;
  return made;
}

function drawn(tag: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}
