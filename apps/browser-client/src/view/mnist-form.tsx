import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";

/** Picks MNIST's two files. */
export function MnistForm({ state }: { state: PageState }) {
  const images = useSignal<File | undefined>(undefined);
  const labels = useSignal<File | undefined>(undefined);
  const pick = (field: { value: File | undefined }, event: { currentTarget: HTMLInputElement }) => {
    field.value = event.currentTarget.files?.[0];
    open();
  };
  const open = () => {
    if (images.value === undefined || labels.value === undefined) state.data.forget();
    else void state.data.open({ kind: "mnist", images: images.value, labels: labels.value });
  };
  const dropped = state.data.dropped.value;
  useEffect(() => {
    if (dropped.length === 0) return;
    state.data.dropped.value = [];
    for (const { file } of dropped) {
      if (/images-idx/.test(file.name)) images.value = file;
      if (/labels-idx/.test(file.name)) labels.value = file;
    }
    open();
  });
  return (
    <div class="row">
      <label class="field">
        <span>{words.data.mnistImages}</span>
        <input type="file" onChange={(event) => pick(images, event)} />
      </label>
      <label class="field">
        <span>{words.data.mnistLabels}</span>
        <input type="file" onChange={(event) => pick(labels, event)} />
      </label>
    </div>
  );
}
