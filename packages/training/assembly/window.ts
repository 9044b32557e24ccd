/** Bytes at the head of every function's scratch memory: 8 zeros, and from `tileAt` on one tile of 5 × 8. */
export const tileAt: usize = 64;
export const scratchHead: usize = 256;

/**
 * How a window moves over images of height × width × channels, as the caller lays it out in memory: 13 integers. Padding
 * below and to the right is what the last window needs. `filters` is the output's channels.
 */
class Window {
  batch: i32;
  height: i32;
  width: i32;
  channels: i32;
  filters: i32;
  windowHeight: i32;
  windowWidth: i32;
  strideY: i32;
  strideX: i32;
  padTop: i32;
  padLeft: i32;
  outHeight: i32;
  outWidth: i32;
}

export function windowAt(address: usize): Window {
  return changetype<Window>(address);
}

export function imageFloats(s: Window): i32 {
  return s.height * s.width * s.channels;
}

export function outFloats(s: Window): i32 {
  return s.outHeight * s.outWidth * s.filters;
}
