import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { chosenFiles } from "../dropped-files.ts";
import type { PageState } from "../page-state.ts";
import type { LabelledFile } from "../training/messages.ts";
import { words } from "../words.ts";

/** Picks a folder whose folders are the classes. */
export function ImagesForm({ state }: { state: PageState }) {
  const files = useSignal<readonly LabelledFile[]>([]);
  const classes = useSignal("");
  const shape = state.runs.run.value?.data.shape ?? [];
  const open = (found: readonly LabelledFile[]) => {
    const chosen = found.filter(isImage);
    files.value = chosen;
    if (chosen.length === 0) {
      return state.data.refuse(words.files.noPictures(found.map(({ file }) => file.name)));
    }
    const named = classes.value
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    const labels = [...new Set(chosen.map(({ label }) => label))].sort();
    void state.data.open({ kind: "images", files: chosen, shape, classes: named.length === 0 ? labels : named });
  };
  // Another run may want them in another size.
  useEffect(() => {
    if (files.value.length > 0) open(files.value);
  }, [shape.join()]);
  const dropped = state.data.dropped.value;
  useEffect(() => {
    if (dropped.length === 0) return;
    state.data.dropped.value = [];
    open(dropped);
  });
  return (
    <>
      <label class="field">
        <span>{words.data.imagesFolder}</span>
        <input
          type="file"
          multiple
          ref={(input) => {
            if (input !== null) input.webkitdirectory = true;
          }}
          onChange={(event) => open(chosenFiles(event.currentTarget.files ?? []))}
        />
      </label>
      <label class="field">
        <span>{words.data.csvClasses}</span>
        <input
          type="text"
          aria-describedby="image-classes"
          onChange={(event) => {
            classes.value = event.currentTarget.value;
            if (files.value.length > 0) open(files.value);
          }}
        />
        <small id="image-classes" class="hint">
          {words.data.csvClassesHint}
        </small>
      </label>
    </>
  );
}

/** Folders hold more than images: hidden files, lists of thumbnails. */
export function isImage({ file }: LabelledFile): boolean {
  return /\.(png|jpe?g|gif|webp|bmp|avif)$/i.test(file.name);
}
