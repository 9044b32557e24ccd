/**
 * A drawing as MNIST has its digits: its ink scaled into 20 × 20 pixels, its centre of mass in the middle of 28 × 28,
 * values from 0 to 1. All 0 where there is no ink. `ink` is `side` × `side`, row after row.
 */
export function digitImage(ink: Float32Array, side: number): Float32Array {
  const image = new Float32Array(28 * 28);
  const rows = Array.from({ length: side }, (_, i) => i);
  const inked = (at: (i: number) => number) => rows.some((i) => ink[at(i)]! > 0);
  const inkedRows = rows.filter((y) => inked((x) => y * side + x));
  const inkedColumns = rows.filter((x) => inked((y) => y * side + x));
  if (inkedRows.length === 0) return image;
  const [top, bottom] = [inkedRows[0]!, inkedRows.at(-1)! + 1];
  const [left, right] = [inkedColumns[0]!, inkedColumns.at(-1)! + 1];
  const scale = Math.max(bottom - top, right - left) / 20;
  const box = new Float32Array(20 * 20);
  let [mass, massX, massY] = [0, 0, 0];
  for (let y = 0; y < 20; y++) {
    for (let x = 0; x < 20; x++) {
      const value = meanOver(ink, side, { x: left + x * scale, y: top + y * scale, size: scale });
      box[y * 20 + x] = value;
      mass += value;
      massX += value * (x + 0.5);
      massY += value * (y + 0.5);
    }
  }
  const [dx, dy] = [Math.round(14 - massX / mass), Math.round(14 - massY / mass)];
  for (let y = 0; y < 20; y++) {
    for (let x = 0; x < 20; x++) {
      const [toX, toY] = [x + dx, y + dy];
      if (toX >= 0 && toX < 28 && toY >= 0 && toY < 28) image[toY * 28 + toX] = box[y * 20 + x]!;
    }
  }
  return image;
}

function meanOver(ink: Float32Array, side: number, { x, y, size }: { x: number; y: number; size: number }): number {
  const [fromX, fromY] = [Math.floor(x), Math.floor(y)];
  const [toX, toY] = [Math.max(fromX + 1, Math.floor(x + size)), Math.max(fromY + 1, Math.floor(y + size))];
  let sum = 0;
  for (let row = fromY; row < toY; row++) {
    for (let column = fromX; column < toX; column++) {
      sum += row < side && column < side ? ink[row * side + column]! : 0;
    }
  }
  return sum / ((toX - fromX) * (toY - fromY));
}
