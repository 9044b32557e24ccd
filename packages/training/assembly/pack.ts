// Panels: 8 columns of a right factor, row after row, so that the innermost loops read memory in order. The last panel
// is filled up with zeros.

/** Packs b[k × n], of rows `step` bytes apart, into panels. Columns from `from` to `to`, a multiple of 8 or the last. */
export function packPanels(b: usize, step: usize, k: i32, from: i32, to: i32, panels: usize): void {
  for (let j = from; j < to; j += 8) {
    let source = b + ((<usize>j) << 2);
    const end = panels + ((<usize>k) << 5);
    if (j + 8 <= to) {
      while (panels < end) {
        v128.store(panels, v128.load(source));
        v128.store(panels, v128.load(source, 16), 16);
        panels += 32;
        source += step;
      }
    } else {
      const columns = (<usize>(to - j)) << 2;
      while (panels < end) {
        memory.fill(panels, 0, 32);
        for (let at: usize = 0; at < columns; at += 4) store<f32>(panels + at, load<f32>(source + at));
        panels += 32;
        source += step;
      }
    }
  }
}

function transpose4(source: usize, step: usize, to: usize): void {
  const a = v128.load(source);
  const b = v128.load(source + step);
  const c = v128.load(source + 2 * step);
  const d = v128.load(source + 3 * step);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ba = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const dc = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(to, v128.shuffle<i64>(ab, cd, 1, 3), 32);
  v128.store(to, v128.shuffle<i64>(ba, dc, 0, 2), 64);
  v128.store(to, v128.shuffle<i64>(ba, dc, 1, 3), 96);
}

/**
 * Packs the transpose of b[n × k], of rows `step` bytes apart, into panels that are `panelStep` bytes apart: as
 * `packPanels` of the k × n matrix.
 */
export function packTransposed(
  b: usize,
  step: usize,
  k: i32,
  from: i32,
  to: i32,
  panels: usize,
  panelStep: usize,
): void {
  for (let j = from; j < to; j += 8, panels += panelStep) {
    const source = b + <usize>j * step;
    const columns = min(8, to - j);
    let p = 0;
    if (columns === 8) {
      for (; p + 4 <= k; p += 4) {
        const at = source + ((<usize>p) << 2);
        const into = panels + ((<usize>p) << 5);
        transpose4(at, step, into);
        transpose4(at + 4 * step, step, into + 16);
      }
    }
    for (; p < k; p++) {
      const into = panels + ((<usize>p) << 5);
      for (let s = 0; s < 8; s++) {
        const value: f32 = s < columns ? load<f32>(source + <usize>s * step + ((<usize>p) << 2)) : 0;
        store<f32>(into + ((<usize>s) << 2), value);
      }
    }
  }
}

/** Packs four columns (fewer are filled up with zeros) of a[k × …], of rows `step` bytes apart, row after row. */
export function packColumns4(a: usize, step: usize, k: i32, columns: i32, packed: usize): void {
  const end = packed + ((<usize>k) << 4);
  if (columns >= 4) {
    while (packed < end) {
      v128.store(packed, v128.load(a));
      packed += 16;
      a += step;
    }
  } else {
    const bytes = (<usize>columns) << 2;
    while (packed < end) {
      v128.store(packed, f32x4.splat(0));
      for (let at: usize = 0; at < bytes; at += 4) store<f32>(packed + at, load<f32>(a + at));
      packed += 16;
      a += step;
    }
  }
}
