/** Width and height of a digit's image, in pixels. */
export const side = 28;

export interface Pen {
  /** Half the width of the line, in pixels. */
  readonly radius: number;
  /** How much the width varies along a stroke, as a share of it, and where in its variation a stroke begins. */
  readonly pressure: number;
  readonly phase: number;
}

const piecesPerSpan = 5;

/** Draws a Catmull-Rom curve through `points` (pixels) onto `image`, anti-aliased; ink over ink stays as dark as it was. */
export function drawCurve(image: Float32Array, points: readonly (readonly [number, number])[], pen: Pen): void {
  let [fromX, fromY] = points[0]!;
  for (let span = 0; span + 1 < points.length; span++) {
    const p0 = points[Math.max(0, span - 1)]!;
    const p1 = points[span]!;
    const p2 = points[span + 1]!;
    const p3 = points[Math.min(points.length - 1, span + 2)]!;
    for (let piece = 1; piece <= piecesPerSpan; piece++) {
      const t = piece / piecesPerSpan;
      const x = catmullRom(t, [p0[0], p1[0], p2[0], p3[0]]);
      const y = catmullRom(t, [p0[1], p1[1], p2[1], p3[1]]);
      const radius = pen.radius * (1 + pen.pressure * Math.sin(pen.phase + 1.3 * (span + t)));
      drawLine(image, [fromX, fromY, x, y], radius);
      fromX = x;
      fromY = y;
    }
  }
}

function catmullRom(t: number, [a, b, c, d]: readonly [number, number, number, number]): number {
  return 0.5 * (2 * b + t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * b - a - 3 * c + d))));
}

/** A line with round ends; the outermost pixel's coverage falls linearly. */
function drawLine(image: Float32Array, line: readonly [number, number, number, number], radius: number): void {
  const [x1, y1, x2, y2] = line;
  const reach = radius + 1;
  const left = Math.max(0, Math.ceil(Math.min(x1, x2) - reach));
  const right = Math.min(side - 1, Math.floor(Math.max(x1, x2) + reach));
  const top = Math.max(0, Math.ceil(Math.min(y1, y2) - reach));
  const bottom = Math.min(side - 1, Math.floor(Math.max(y1, y2) + reach));
  const [dx, dy] = [x2 - x1, y2 - y1];
  const perLength = 1 / (dx * dx + dy * dy || 1);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) * perLength));
      const [offX, offY] = [x - x1 - along * dx, y - y1 - along * dy];
      const coverage = radius + 0.5 - Math.sqrt(offX * offX + offY * offY);
      const pixel = y * side + x;
      if (coverage > image[pixel]!) image[pixel] = Math.min(1, coverage);
    }
  }
}

/** Mixes each pixel with the mean of its row's and column's neighbours, by `share`. */
export function blur(image: Float32Array, share: number): void {
  const before = image.slice();
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const pixel = y * side + x;
      const around = before[pixel - 1]! + before[pixel + 1]! + before[pixel - side]! + before[pixel + side]!;
      image[pixel] = (1 - share) * before[pixel]! + (share / 4) * around;
    }
  }
}
