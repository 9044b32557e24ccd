// The mask kernel, in AssemblyScript: compiled by build-wasm.mjs at the root, never by tsc.
//
// Four ChaCha20 blocks at a time (RFC 8439), word i of all four in one vector x_i, so that a quarter round needs no
// shuffles across lanes; the transposed keystream is added to, or taken from, an accumulator of 32-bit words in place.

/** Where the caller puts the 32-byte key. */
const keyAt: usize = 1024;
/** Where the accumulator's tile starts; `tileWords` of it fit. */
const tileAt: usize = 2048;
const tileWordsMax: i32 = 65536;

export function keyAddress(): usize {
  return keyAt;
}

export function tileAddress(): usize {
  return tileAt;
}

export function tileWords(): i32 {
  return tileWordsMax;
}

function rotate16(v: v128): v128 {
  return v128.shuffle<u8>(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

function rotate12(v: v128): v128 {
  return v128.or(i32x4.shl(v, 12), i32x4.shr_u(v, 20));
}

function rotate8(v: v128): v128 {
  return v128.shuffle<u8>(v, v, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
}

function rotate7(v: v128): v128 {
  return v128.or(i32x4.shl(v, 7), i32x4.shr_u(v, 25));
}

function fold(at: usize, keystream: v128, subtract: bool): void {
  const sum = v128.load(at);
  v128.store(at, subtract ? i32x4.sub(sum, keystream) : i32x4.add(sum, keystream));
}

/** Rows a…d hold words i…i+3 of four blocks; transposed, each is one block's four words, 64 bytes apart. */
function foldRows(a: v128, b: v128, c: v128, d: v128, at: usize, subtract: bool): void {
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ba = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const dc = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  fold(at, v128.shuffle<i64>(ab, cd, 0, 2), subtract);
  fold(at + 64, v128.shuffle<i64>(ab, cd, 1, 3), subtract);
  fold(at + 128, v128.shuffle<i64>(ba, dc, 0, 2), subtract);
  fold(at + 192, v128.shuffle<i64>(ba, dc, 1, 3), subtract);
}

/**
 * Adds the keystream of the key at `keyAddress`, from block `counter` on, to the first `words` words of the tile, or
 * takes it away; `words` is a multiple of 64. Nonce zero: a key masks one vector and is never used again.
 */
export function mask(words: i32, counter: i32, subtract: bool): void {
  const s0 = i32x4.splat(0x61707865);
  const s1 = i32x4.splat(0x3320646e);
  const s2 = i32x4.splat(0x79622d32);
  const s3 = i32x4.splat(0x6b206574);
  const s4 = v128.load32_splat(keyAt + 0);
  const s5 = v128.load32_splat(keyAt + 4);
  const s6 = v128.load32_splat(keyAt + 8);
  const s7 = v128.load32_splat(keyAt + 12);
  const s8 = v128.load32_splat(keyAt + 16);
  const s9 = v128.load32_splat(keyAt + 20);
  const s10 = v128.load32_splat(keyAt + 24);
  const s11 = v128.load32_splat(keyAt + 28);
  let counters = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3));
  const s13 = i32x4.splat(0);
  const s14 = i32x4.splat(0);
  const s15 = i32x4.splat(0);
  const end = tileAt + ((<usize>words) << 2);
  for (let at = tileAt; at < end; at += 256) {
    let x0 = s0;
    let x1 = s1;
    let x2 = s2;
    let x3 = s3;
    let x4 = s4;
    let x5 = s5;
    let x6 = s6;
    let x7 = s7;
    let x8 = s8;
    let x9 = s9;
    let x10 = s10;
    let x11 = s11;
    let x12 = counters;
    let x13 = s13;
    let x14 = s14;
    let x15 = s15;
    for (let round = 0; round < 10; round++) {
      x0 = i32x4.add(x0, x4);
      x12 = rotate16(v128.xor(x12, x0));
      x1 = i32x4.add(x1, x5);
      x13 = rotate16(v128.xor(x13, x1));
      x2 = i32x4.add(x2, x6);
      x14 = rotate16(v128.xor(x14, x2));
      x3 = i32x4.add(x3, x7);
      x15 = rotate16(v128.xor(x15, x3));
      x8 = i32x4.add(x8, x12);
      x4 = rotate12(v128.xor(x4, x8));
      x9 = i32x4.add(x9, x13);
      x5 = rotate12(v128.xor(x5, x9));
      x10 = i32x4.add(x10, x14);
      x6 = rotate12(v128.xor(x6, x10));
      x11 = i32x4.add(x11, x15);
      x7 = rotate12(v128.xor(x7, x11));
      x0 = i32x4.add(x0, x4);
      x12 = rotate8(v128.xor(x12, x0));
      x1 = i32x4.add(x1, x5);
      x13 = rotate8(v128.xor(x13, x1));
      x2 = i32x4.add(x2, x6);
      x14 = rotate8(v128.xor(x14, x2));
      x3 = i32x4.add(x3, x7);
      x15 = rotate8(v128.xor(x15, x3));
      x8 = i32x4.add(x8, x12);
      x4 = rotate7(v128.xor(x4, x8));
      x9 = i32x4.add(x9, x13);
      x5 = rotate7(v128.xor(x5, x9));
      x10 = i32x4.add(x10, x14);
      x6 = rotate7(v128.xor(x6, x10));
      x11 = i32x4.add(x11, x15);
      x7 = rotate7(v128.xor(x7, x11));
      x0 = i32x4.add(x0, x5);
      x15 = rotate16(v128.xor(x15, x0));
      x1 = i32x4.add(x1, x6);
      x12 = rotate16(v128.xor(x12, x1));
      x2 = i32x4.add(x2, x7);
      x13 = rotate16(v128.xor(x13, x2));
      x3 = i32x4.add(x3, x4);
      x14 = rotate16(v128.xor(x14, x3));
      x10 = i32x4.add(x10, x15);
      x5 = rotate12(v128.xor(x5, x10));
      x11 = i32x4.add(x11, x12);
      x6 = rotate12(v128.xor(x6, x11));
      x8 = i32x4.add(x8, x13);
      x7 = rotate12(v128.xor(x7, x8));
      x9 = i32x4.add(x9, x14);
      x4 = rotate12(v128.xor(x4, x9));
      x0 = i32x4.add(x0, x5);
      x15 = rotate8(v128.xor(x15, x0));
      x1 = i32x4.add(x1, x6);
      x12 = rotate8(v128.xor(x12, x1));
      x2 = i32x4.add(x2, x7);
      x13 = rotate8(v128.xor(x13, x2));
      x3 = i32x4.add(x3, x4);
      x14 = rotate8(v128.xor(x14, x3));
      x10 = i32x4.add(x10, x15);
      x5 = rotate7(v128.xor(x5, x10));
      x11 = i32x4.add(x11, x12);
      x6 = rotate7(v128.xor(x6, x11));
      x8 = i32x4.add(x8, x13);
      x7 = rotate7(v128.xor(x7, x8));
      x9 = i32x4.add(x9, x14);
      x4 = rotate7(v128.xor(x4, x9));
    }
    foldRows(i32x4.add(x0, s0), i32x4.add(x1, s1), i32x4.add(x2, s2), i32x4.add(x3, s3), at + 0, subtract);
    foldRows(i32x4.add(x4, s4), i32x4.add(x5, s5), i32x4.add(x6, s6), i32x4.add(x7, s7), at + 16, subtract);
    foldRows(i32x4.add(x8, s8), i32x4.add(x9, s9), i32x4.add(x10, s10), i32x4.add(x11, s11), at + 32, subtract);
    foldRows(
      i32x4.add(x12, counters),
      i32x4.add(x13, s13),
      i32x4.add(x14, s14),
      i32x4.add(x15, s15),
      at + 48,
      subtract,
    );
    counters = i32x4.add(counters, i32x4.splat(4));
  }
}
