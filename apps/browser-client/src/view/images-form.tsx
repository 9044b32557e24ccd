import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { chosenFiles, type PlacedFile } from "../dropped-files.ts";
import { isImage, labelledImages } from "../labelled-images.ts";
import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";
import { ClassesField } from "./classes-field.tsx";
import { Live } from "./live.tsx";
import { useDropped } from "./use-dropped.ts";

/** Picks a folder whose folders are the classes. */
export function ImagesForm({ state }: { state: PageState }) {
  const files = useSignal<readonly PlacedFile[]>([]);
  const leftOut = useSignal<readonly string[]>([]);
  const classes = useSignal<readonly string[]>([]);
  const input = useRef<HTMLInputElement>(null);
  const shape = state.runs.run.value?.data.shape ?? [];
  const open = (found: readonly PlacedFile[]) => {
    const { images, leftOut: others } = labelledImages(found);
    files.value = found;
    leftOut.value = images.length === 0 ? [] : others;
    if (images.length === 0) {
      const names = found.map(({ file }) => file.name);
      return state.data.refuse(found.some(isImage) ? words.files.noFolder : words.files.noPictures(names));
    }
    const labels = [...new Set(images.map(({ label }) => label))].sort();
    const named = classes.value.length === 0 ? labels : classes.value;
    void state.data.open({ kind: "images", files: images, shape, classes: named });
  };
  // Another run may want them in another size.
  useEffect(() => {
    if (files.value.length > 0) open(files.value);
  }, [shape.join()]);
  useDropped(state, (dropped) => {
    if (input.current !== null) input.current.value = "";
    open(dropped);
  });
  return (
    <>
      <label class="field">
        <span>{words.data.imagesFolder}</span>
        <input
          type="file"
          multiple
          ref={(element) => {
            input.current = element;
            if (element !== null) element.webkitdirectory = true;
          }}
          onChange={(event) => open(chosenFiles(event.currentTarget.files ?? []))}
        />
      </label>
      <Live role="status" class="status" text={leftOut.value.length === 0 ? "" : words.data.leftOut(leftOut.value)} />
      <ClassesField
        id="image-classes"
        onTyped={(names) => {
          classes.value = names;
          if (files.value.length > 0) open(files.value);
        }}
      />
    </>
  );
}
