import { useEffect } from "preact/hooks";
import type { PlacedFile } from "../dropped-files.ts";
import type { PageState } from "../page-state.ts";

/** Hands files that were dropped to the form that reads them. */
export function useDropped(state: PageState, take: (files: readonly PlacedFile[]) => void): void {
  const dropped = state.data.dropped.value;
  useEffect(() => {
    if (dropped.length === 0) return;
    state.data.dropped.value = [];
    take(dropped);
  });
}

/** Keeps a file that misses its place from being opened in place of the page, which would end what this tab does. */
export function useNoOpening(): void {
  useEffect(() => {
    const refuse = (event: DragEvent) => {
      if (event.defaultPrevented || event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "none";
    };
    window.addEventListener("dragover", refuse);
    window.addEventListener("drop", refuse);
    return () => {
      window.removeEventListener("dragover", refuse);
      window.removeEventListener("drop", refuse);
    };
  }, []);
}
