import { rectify } from "./elementwise";
import { packColumns4, packPanels, packTransposed } from "./pack";
import { outer4, rows4, rows5 } from "./tile";
import { scratchHead, tileAt } from "./window";

// Blocks of the right factor that are packed at a time: 384 × 256 floats fit a second-level cache of half a megabyte,
// one panel of 8 columns a first-level cache.
const blockInner: i32 = 384;
const blockColumns: i32 = 256;
const panelsAt: usize = scratchHead;
const columnsAt: usize = panelsAt + ((<usize>(blockInner * blockColumns)) << 2);

/** Bytes of scratch memory that `product` and `addOuter` need. */
export function productScratch(): usize {
  return columnsAt + ((<usize>blockInner) << 4);
}

/** c = start + tile for the part of a tile that lies inside the matrix. */
export function finishTile(
  tile: usize,
  rows: i32,
  columns: i32,
  start: usize,
  startStep: usize,
  c: usize,
  stepC: usize,
  relu: bool,
): void {
  const bytes = (<usize>columns) << 2;
  for (let r = 0; r < rows; r++) {
    for (let at: usize = 0; at < bytes; at += 4) {
      const sum = load<f32>(start + at) + load<f32>(tile + at);
      store<f32>(c + at, relu ? max<f32>(sum, 0) : sum);
    }
    tile += 32;
    start += startStep;
    c += stepC;
  }
}

/** One panel's 8 (or fewer) columns of c, all rows. */
function panelOfRows(
  m: i32,
  k: i32,
  columns: i32,
  a: usize,
  stepA: usize,
  panel: usize,
  start: usize,
  startStep: usize,
  c: usize,
  stepC: usize,
  relu: bool,
  scratch: usize,
): void {
  const bytes = (<usize>k) << 2;
  const tile = scratch + tileAt;
  // As many tiles of five as leave a multiple of four.
  let fives = m & 3;
  if (5 * fives > m) fives = m / 5;
  let i = 0;
  while (i < m) {
    const height = fives > 0 ? 5 : 4;
    fives--;
    const rows = min(height, m - i);
    const whole = rows === height && columns === 8;
    const a0 = a + <usize>i * stepA;
    const a1 = a0 + (rows > 1 ? stepA : 0);
    const a2 = a0 + (rows > 2 ? 2 * stepA : 0);
    const a3 = a0 + (rows > 3 ? 3 * stepA : 0);
    const from = start + <usize>i * startStep;
    const to = c + <usize>i * stepC;
    const begin = whole ? from : scratch;
    const beginStep = whole ? startStep : 0;
    const end = whole ? to : tile;
    const endStep = whole ? stepC : 32;
    const floor = whole && relu;
    if (height === 5) {
      rows5(a0, stepA, bytes, panel, begin, beginStep, end, endStep, floor);
    } else {
      rows4(a0, a1, a2, a3, 1, bytes, 0, panel, begin, beginStep, end, endStep, floor);
    }
    if (!whole) finishTile(tile, rows, columns, from, startStep, to, stepC, relu);
    i += height;
  }
}

/** Nothing transposed on the left, the right factor in panels. */
function packed(
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  b: usize,
  start: usize,
  startStep: usize,
  c: usize,
  relu: bool,
  scratch: usize,
): void {
  const stepA = (<usize>k) << 2;
  const stepC = (<usize>n) << 2;
  const panels = scratch + panelsAt;
  for (let p = 0; p < k; p += blockInner) {
    const inner = min(blockInner, k - p);
    const floor = relu && p + inner === k;
    const panelBytes = (<usize>inner) << 5;
    for (let from = 0; from < n; from += blockColumns) {
      const to = min(n, from + blockColumns);
      if (transposeB) packTransposed(b + ((<usize>p) << 2), stepA, inner, from, to, panels, panelBytes);
      else packPanels(b + <usize>p * stepC, stepC, inner, from, to, panels);
      let panel = panels;
      for (let j = from; j < to; j += 8, panel += panelBytes) {
        const at = (<usize>j) << 2;
        const rowsA = a + ((<usize>p) << 2);
        const columns = min(8, n - j);
        panelOfRows(m, inner, columns, rowsA, stepA, panel, start + at, startStep, c + at, stepC, floor, scratch);
      }
    }
    start = c;
    startStep = stepC;
  }
}

/** Four (or fewer) rows of c, columns `from` to `to`, from a packed strip of a and packed panels of b. */
export function stripOfPanels(
  rows: i32,
  inner: i32,
  from: i32,
  to: i32,
  strip: usize,
  panels: usize,
  scale: f32,
  start: usize,
  startStep: usize,
  c: usize,
  stepC: usize,
  scratch: usize,
): void {
  let whole = rows === 4 ? (to - from) >> 3 : 0;
  const at = (<usize>from) << 2;
  if (whole > 0) outer4(strip, inner, panels, whole, scale, start + at, startStep, c + at, stepC);
  const panelBytes = (<usize>inner) << 5;
  for (let j = from + 8 * whole; j < to; j += 8, whole++) {
    const tile = scratch + tileAt;
    const into = (<usize>j) << 2;
    outer4(strip, inner, panels + <usize>whole * panelBytes, 1, scale, scratch, 0, tile, 32);
    finishTile(tile, rows, min(8, to - j), start + into, startStep, c + into, stepC, false);
  }
}

/** c[m × n] = start + scale · a[k × m]ᵀ · b[k × n], or · b[n × k]ᵀ. */
function outer(
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  b: usize,
  scale: f32,
  start: usize,
  startStep: usize,
  c: usize,
  scratch: usize,
): void {
  const stepA = (<usize>m) << 2;
  const stepB = (<usize>(transposeB ? k : n)) << 2;
  const stepC = (<usize>n) << 2;
  const panels = scratch + panelsAt;
  const strip = scratch + columnsAt;
  for (let p = 0; p < k; p += blockInner) {
    const inner = min(blockInner, k - p);
    for (let from = 0; from < n; from += blockColumns) {
      const to = min(n, from + blockColumns);
      if (transposeB) packTransposed(b + ((<usize>p) << 2), stepB, inner, from, to, panels, (<usize>inner) << 5);
      else packPanels(b + <usize>p * stepB, stepB, inner, from, to, panels);
      for (let i = 0; i < m; i += 4) {
        packColumns4(a + <usize>p * stepA + ((<usize>i) << 2), stepA, inner, m - i, strip);
        const rows = min(4, m - i);
        const first = start + <usize>i * startStep;
        const into = c + <usize>i * stepC;
        stripOfPanels(rows, inner, from, to, strip, panels, scale, first, startStep, into, stepC, scratch);
      }
    }
    start = c;
    startStep = stepC;
  }
}

/**
 * c[m × n] = a[m × k] · b[k × n] + bias[n], floored at 0 where `relu`; either factor may be stored transposed, and a bias
 * of address 0 is none. All are rows without gaps; m, n, k ≥ 1; c overlaps nothing else.
 */
export function product(
  transposeA: bool,
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  b: usize,
  bias: usize,
  c: usize,
  relu: bool,
  scratch: usize,
): void {
  memory.fill(scratch, 0, 32);
  let start = bias;
  let startStep: usize = 0;
  if (bias === 0) {
    memory.fill(c, 0, <usize>m * ((<usize>n) << 2));
    start = c;
    startStep = (<usize>n) << 2;
  }
  if (transposeA) {
    outer(transposeB, m, n, k, a, b, 1, start, startStep, c, scratch);
    if (relu) rectify(m * n, c, c);
  } else packed(transposeB, m, n, k, a, b, start, startStep, c, relu, scratch);
}

/** c[m × n] += scale · a[k × m]ᵀ · b[k × n]: a dense layer's gradient, or with a scale of −η its step. */
export function addOuter(m: i32, n: i32, k: i32, a: usize, b: usize, scale: f32, c: usize, scratch: usize): void {
  memory.fill(scratch, 0, 32);
  outer(false, m, n, k, a, b, scale, c, (<usize>n) << 2, c, scratch);
}
