import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";

/** Picks a text; it is read anew where another run asks for other characters. */
export function TextForm({ state }: { state: PageState }) {
  const file = useSignal<File | undefined>(undefined);
  const data = state.run.value?.data;
  const asked = JSON.stringify([data?.shape, data?.vocabulary]);
  const open = (picked: File | undefined) => {
    file.value = picked;
    if (picked === undefined || data === undefined) return state.forgetData();
    void state.open({ kind: "text", file: picked, window: data.shape[0]!, vocabulary: data.vocabulary ?? "" });
  };
  useEffect(() => {
    if (file.value !== undefined) open(file.value);
  }, [asked]);
  const dropped = state.dropped.value;
  useEffect(() => {
    if (dropped.length === 0) return;
    state.dropped.value = [];
    open(dropped[0]?.file);
  });
  return (
    <label class="field">
      <span>{words.data.textFile}</span>
      <input
        type="file"
        accept=".txt,.text,.md,.gz,text/plain"
        onChange={(event) => open(event.currentTarget.files?.[0])}
      />
    </label>
  );
}
