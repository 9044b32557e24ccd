import { useSignal } from "@preact/signals";
import { type RunRecord, routes } from "@tributary/protocol";
import { useEffect } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { words } from "../words.ts";
import type { SpecEditor } from "./spec-editor.tsx";

/** Creates a run; what checks the specification is fetched only here. */
export function NewRunView({ dashboard, from }: { dashboard: Dashboard; from: string | undefined }) {
  const editor = useSignal<typeof SpecEditor | undefined>(undefined);
  useEffect(() => {
    void dashboard.tell(async () => {
      const { SpecEditor } = await import("./spec-editor.tsx");
      editor.value = SpecEditor;
    });
  }, [dashboard, editor]);
  const Editor = editor.value;
  const model = dashboard.runs.value?.find(({ run }: RunRecord) => run === from);
  const isReady = Editor !== undefined && (from === undefined || dashboard.runs.value !== undefined);
  return (
    <article class="new">
      <div class="title">
        <h1>{words.form.title}</h1>
      </div>
      {isReady ? <Editor dashboard={dashboard} from={from} start={model?.spec} /> : <p class="soft">{words.loading}</p>}
      <p class="soft small">POST {routes.runs()}</p>
    </article>
  );
}
