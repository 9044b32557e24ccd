import { useSignal } from "@preact/signals";
import type { DataSpec } from "@tributary/protocol";
import { useEffect } from "preact/hooks";
import type { PageState } from "../page-state.ts";
import type { DataChoice } from "../training/messages.ts";
import { FileField } from "./file-field.tsx";
import { useDropped } from "./use-dropped.ts";

/** A form that picks one file, to be read as the run asks; it is read anew where another run asks for something else. */
export function fileForm(kind: {
  readonly label: string;
  readonly accept: string;
  choice(file: File, data: DataSpec): DataChoice;
}) {
  return function FileForm({ state }: { state: PageState }) {
    const file = useSignal<File | undefined>(undefined);
    const data = state.runs.run.value?.data;
    const open = (picked: File | undefined) => {
      file.value = picked;
      if (picked === undefined || data === undefined) return state.data.forget();
      void state.data.open(kind.choice(picked, data));
    };
    useEffect(() => {
      if (file.value !== undefined) open(file.value);
    }, [JSON.stringify(data)]);
    useDropped(state, ([dropped]) => open(dropped?.file));
    return <FileField label={kind.label} accept={kind.accept} chosen={file.value} onPick={open} />;
  };
}
