import { useEffect, useRef } from "preact/hooks";
import type { PageState } from "../page-state.ts";
import type { DataFound } from "../training/messages.ts";
import { words } from "../words.ts";

/** Some of the images that were read, or the beginning of the file, drawn by the worker that holds them. */
export function Preview({ state, found }: { state: PageState; found: DataFound }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current !== null) state.data.draw(canvas.current);
  }, [state]);
  if (found.data.kind === "images") {
    const label = words.data.thumbnails(Math.min(24, found.examples));
    return <canvas ref={canvas} class="thumbnails" width={672} height={144} role="img" aria-label={label} />;
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section class="scrolled sample" aria-label={words.data.sample} tabIndex={0}>
      <canvas ref={canvas} width={1344} height={308} role="img" aria-label={words.data.sampleAlt} />
    </section>
  );
}
