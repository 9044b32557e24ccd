import { words } from "../words.ts";

const [width, height] = [240, 48];

/** Losses as a line; the figures beside it say the last one. */
export function Curve(props: { losses: readonly number[] }) {
  // A training that has diverged has losses that no line goes through.
  const losses = props.losses.filter(Number.isFinite);
  const most = Math.max(...losses, 1e-9);
  const step = width / Math.max(1, losses.length - 1);
  const points = losses.map(
    (loss, i) => `${(i * step).toFixed(1)},${(height - 2 - ((height - 4) * loss) / most).toFixed(1)}`,
  );
  return (
    <svg
      class="curve"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={words.part.curve}
    >
      <polyline points={points.join(" ")} />
    </svg>
  );
}
