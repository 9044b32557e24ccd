import { useSignal } from "@preact/signals";
import { type RunRecord, routes } from "@tributary/protocol";
import { useEffect } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { words } from "../words.ts";
import { PendingRuns } from "./pending.tsx";
import type { SpecEditor } from "./spec-editor.tsx";

/** Creates a run; what checks the specification is fetched only here. */
export function NewRunView({ dashboard, from }: { dashboard: Dashboard; from: string | undefined }) {
  const editor = useSignal<typeof SpecEditor | undefined>(undefined);
  const fault = useSignal<Error | undefined>(undefined);
  useEffect(() => {
    import("./spec-editor.tsx").then(
      ({ SpecEditor }) => (editor.value = SpecEditor),
      (error: Error) => (fault.value = error),
    );
  }, [editor, fault]);
  const Editor = editor.value;
  const model = dashboard.runs.value?.find(({ run }: RunRecord) => run === from);
  const isReady = Editor !== undefined && (from === undefined || dashboard.runs.value !== undefined);
  return (
    <article class="new">
      <div class="title">
        <h1>{words.form.title}</h1>
      </div>
      {from === undefined ? null : <PendingRuns dashboard={dashboard} />}
      {from !== undefined && dashboard.runs.value !== undefined && model === undefined ? (
        <p>{words.form.unknownFrom}</p>
      ) : null}
      {isReady ? <Editor dashboard={dashboard} from={from} start={model?.spec} /> : null}
      {Editor === undefined ? <Piece fault={fault.value} /> : null}
      <p class="soft small">POST {routes.runs()}</p>
    </article>
  );
}

/** A piece of the page itself that is on its way. A browser never fetches a module again that failed: the page must be. */
function Piece({ fault }: { fault: Error | undefined }) {
  if (fault === undefined) return <p class="soft">{words.loading}</p>;
  return (
    <p class="fault told">
      <span role="alert">{words.notLoaded(fault.message)}</span>{" "}
      <button type="button" class="inline" onClick={() => location.reload()}>
        {words.again}
      </button>
    </p>
  );
}
