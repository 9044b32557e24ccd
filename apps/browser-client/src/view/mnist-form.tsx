import { useSignal } from "@preact/signals";
import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";
import { FileField } from "./file-field.tsx";
import { useDropped } from "./use-dropped.ts";

/** Picks MNIST's two files. */
export function MnistForm({ state }: { state: PageState }) {
  const images = useSignal<File | undefined>(undefined);
  const labels = useSignal<File | undefined>(undefined);
  const open = () => {
    if (images.value === undefined || labels.value === undefined) state.data.forget();
    else void state.data.open({ kind: "mnist", images: images.value, labels: labels.value });
  };
  useDropped(state, (dropped) => {
    const named = (pattern: RegExp) => dropped.map(({ file }) => file).filter(({ name }) => pattern.test(name));
    const [newImages, newLabels] = [named(/images[-.]idx/), named(/labels[-.]idx/)];
    const used = newImages.length + newLabels.length;
    if (newImages.length > 1 || newLabels.length > 1 || used < dropped.length) {
      return state.data.refuse(words.data.notMnist(dropped.map(({ file }) => file.name)));
    }
    images.value = newImages[0] ?? images.value;
    labels.value = newLabels[0] ?? labels.value;
    open();
  });
  const pick = (field: { value: File | undefined }) => (file: File | undefined) => {
    field.value = file;
    open();
  };
  return (
    <div class="row">
      <FileField label={words.data.mnistImages} chosen={images.value} onPick={pick(images)} />
      <FileField label={words.data.mnistLabels} chosen={labels.value} onPick={pick(labels)} />
    </div>
  );
}
