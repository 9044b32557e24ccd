/** As many patterns tell areas apart for who does not tell their colours apart; the stylesheet draws the same ones. */
const patterns = 5;

const tilePixels = 8;

/** What a canvas fills an area with: plain, upright lines, level lines, dots, a grid. */
export function patternOf(index: number, colours: { area: string; mark: string }): string | CanvasPattern {
  const kind = index % patterns;
  if (kind === 0) return colours.area;
  const tile = Object.assign(document.createElement("canvas"), { width: tilePixels, height: tilePixels });
  const context = tile.getContext("2d")!;
  context.fillStyle = colours.area;
  context.fillRect(0, 0, tilePixels, tilePixels);
  context.fillStyle = colours.mark;
  if (kind === 1 || kind === 4) context.fillRect(0, 0, 1.5, tilePixels);
  if (kind === 2 || kind === 4) context.fillRect(0, 0, tilePixels, 1.5);
  if (kind === 3) context.fillRect(2, 2, 3, 3);
  return context.createPattern(tile, "repeat")!;
}
