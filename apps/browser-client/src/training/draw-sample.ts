import { words } from "../words.ts";
import type { Sample } from "./sample.ts";

/** Dots of the canvas for each of the page's, so that letters are sharp. */
const density = 2;
const [rowHeight, gap, widestCell] = [22, 20, 180];

/**
 * Draws the beginning of a file on a canvas that the page shows, in the colour `ink`: as with images, no cell is sent to the
 * page. A column that is left out is faint; what does not fit on the canvas is not drawn.
 */
export function drawSample(canvas: OffscreenCanvas, { heads, rows }: Sample, ink: string): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const width = canvas.width / density;
  context.scale(density, density);
  Object.assign(context, { fillStyle: ink, textBaseline: "middle" });
  const columns = Math.max(heads.length, ...rows.map((row) => row.length));
  const [plain, bold] = ["13px ui-monospace, monospace", "600 13px system-ui, sans-serif"];
  const write = (text: string, at: { x: number; y: number; most: number }, font: string, strength = 1) => {
    Object.assign(context, { font, globalAlpha: strength });
    context.fillText(fitted(context, text, at.most), at.x, at.y);
  };
  let x = 0;
  for (let column = 0; column < columns && x < width; column++) {
    const head = heads[column];
    const cells = rows.map((row) => (row[column] ?? "").replace(/\s+/g, " "));
    const use = head === undefined ? "" : words.data.uses[head.use];
    context.font = plain;
    const wide = Math.max(...[...cells, use].map((text) => context.measureText(text).width));
    context.font = bold;
    const wanted = Math.max(wide, context.measureText(head?.name ?? "").width);
    // A line of text is one cell, and may have all of the width.
    const most = Math.min(wanted, columns === 1 ? width : widestCell, width - x);
    const strength = head?.use === "ignore" ? 0.45 : 1;
    let y = rowHeight / 2;
    if (head !== undefined) {
      write(head.name, { x, y, most }, bold, strength);
      write(use, { x, y: y + rowHeight, most }, plain, 0.7 * strength);
      y += 2 * rowHeight;
    }
    for (const cell of cells) {
      write(cell, { x, y, most }, plain, strength);
      y += rowHeight;
    }
    x += most + gap;
  }
}

/** As much of a text as is at most so wide, with an ellipsis where something is missing. */
function fitted(context: OffscreenCanvasRenderingContext2D, text: string, most: number): string {
  if (context.measureText(text).width <= most) return text;
  let shown = text.slice(0, Math.floor(most / 4));
  while (shown !== "" && context.measureText(`${shown}…`).width > most) shown = shown.slice(0, -1);
  return `${shown}…`;
}
