/** A curve without axes, as wide as its place. Its values are said elsewhere. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const step = 100 / Math.max(1, values.length - 1);
  const points = values.map((value, index) => `${index * step},${30 - (28 * (value - low)) / span - 1}`);
  return (
    <svg class="sparkline" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
      {values.length < 2 ? null : <polyline points={points.join(" ")} />}
    </svg>
  );
}
