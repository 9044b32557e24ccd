import type { Accuracy, Point } from "../accuracy.ts";
import { words } from "../words.ts";

const [width, height] = [600, 120];

/** Two curves over the rounds: how the model does on this device's data, and over the federation. */
export function AccuracyChart({ accuracy, rounds }: { accuracy: Accuracy; rounds: number }) {
  const [own, federation] = [accuracy.own.value, accuracy.federation.value];
  const last = Math.max(1, ...own.map(({ round }) => round), ...federation.map(({ round }) => round));
  const shown = Math.min(rounds, Math.max(5, last));
  const { title, ownName, federationName, nothing, summary, axis } = words.accuracy;
  const text = summary(own.at(-1)?.accuracy, federation.at(-1)?.accuracy);
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        <span class="key own">
          {ownName} <b>{percent(own)}</b>
        </span>
        <span class="key federation">
          {federationName} <b>{percent(federation)}</b>
        </span>
      </figcaption>
      <div class="plot">
        <span class="top">{words.accuracy.most}</span>
        <span class="bottom">{words.accuracy.least}</span>
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={text}>
          <line class="grid" x1="0" x2={width} y1={height / 2} y2={height / 2} />
          <Line points={federation} last={shown} name="federation" />
          <Line points={own} last={shown} name="own" />
        </svg>
        <span class="from">{axis(1)}</span>
        <span class="to">{axis(shown)}</span>
      </div>
      <p class="hint">{own.length === 0 && federation.length === 0 ? nothing : text}</p>
    </figure>
  );
}

function Line({ points, last, name }: { points: readonly Point[]; last: number; name: string }) {
  const at = ({ round, accuracy }: Point) =>
    `${(((round - 1) * width) / Math.max(1, last - 1)).toFixed(1)},${((1 - accuracy) * (height - 4) + 2).toFixed(1)}`;
  // A single point would draw nothing.
  const drawn = points.length === 1 ? [points[0]!, points[0]!] : points;
  return <polyline class={name} points={drawn.map(at).join(" ")} />;
}

function percent(points: readonly Point[]): string {
  const newest = points.at(-1);
  return newest === undefined ? "–" : words.accuracy.percent(newest.accuracy);
}
