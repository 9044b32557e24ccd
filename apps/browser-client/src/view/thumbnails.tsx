import { useEffect, useRef } from "preact/hooks";
import type { PageState } from "../page-state.ts";
import type { DataFound } from "../training/messages.ts";
import { words } from "../words.ts";

/** Some of the images that were read, drawn by the worker that holds them. */
export function Thumbnails({ state, found }: { state: PageState; found: DataFound }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current !== null) state.drawThumbnails(canvas.current);
  }, [state]);
  return (
    <canvas
      ref={canvas}
      class="thumbnails"
      width={672}
      height={144}
      role="img"
      aria-label={words.data.thumbnails(Math.min(24, found.examples))}
    />
  );
}
