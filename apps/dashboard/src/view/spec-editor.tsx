import { useSignal } from "@preact/signals";
import { RunSpecSchema } from "@tributary/catalog";
import { routes } from "@tributary/protocol";
import { useMemo, useRef } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { type Fault, faultsOf, splitFaults } from "../spec/faults.ts";
import { fieldOf, type SchemaNode } from "../spec/fields.ts";
import { firstDraft } from "../spec/first-draft.ts";
import { words } from "../words.ts";
import { RestLinks } from "./rest.tsx";
import { SpecFields } from "./spec-fields.tsx";

const text = words.form;

/** A run's specification as a form or as JSON, checked at every change by what the coordinator checks it with. */
export function SpecEditor({ dashboard, start }: { dashboard: Dashboard; start: unknown }) {
  const draft = useSignal<unknown>(start ?? firstDraft);
  const json = useSignal<string | undefined>(undefined);
  const jsonFault = useSignal<string | undefined>(undefined);
  const refused = useSignal<readonly Fault[]>([]);
  const busy = useSignal(false);
  const summary = useRef<HTMLDivElement>(null);
  const checked = useMemo(() => faultsOf(draft.value), [draft.value]);
  const faults =
    jsonFault.value === undefined ? [...checked, ...refused.value] : [{ path: "", detail: jsonFault.value }];

  const change = (next: unknown) => {
    draft.value = next;
    refused.value = [];
  };
  const write = (typedText: string) => {
    json.value = typedText;
    try {
      change(JSON.parse(typedText));
      jsonFault.value = undefined;
    } catch (error) {
      jsonFault.value = text.notJson((error as Error).message);
    }
  };
  const submit = async () => {
    if (faults.length > 0) {
      summary.current?.focus();
      return;
    }
    busy.value = true;
    try {
      await dashboard.create(draft.value);
    } catch (error) {
      refused.value = splitFaults((error as Error).message);
      summary.current?.focus();
    }
    busy.value = false;
  };
  const choose = (asJson: boolean) => {
    json.value = asJson ? JSON.stringify(draft.value, null, 2) : undefined;
    jsonFault.value = undefined;
  };

  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <fieldset class="chips" aria-label={text.ways}>
        {([false, true] as const).map((asJson) => (
          <label key={`${asJson}`} class="chip">
            <input
              type="radio"
              name="way"
              checked={(json.value !== undefined) === asJson}
              onChange={() => choose(asJson)}
            />
            {asJson ? text.json : text.form}
          </label>
        ))}
      </fieldset>
      {json.value === undefined ? (
        <SpecFields
          field={fieldOf("", RunSpecSchema as SchemaNode, draft.value)}
          draft={draft.value}
          faults={faults}
          onChange={change}
        />
      ) : (
        <label class="card field">
          {text.jsonLabel}
          <span class="soft small">{text.jsonHint}</span>
          <textarea
            rows={24}
            spellcheck={false}
            aria-invalid={faults.length > 0}
            aria-describedby="spec-faults"
            value={json.value}
            onInput={(event) => write(event.currentTarget.value)}
          />
        </label>
      )}
      <div class="submit card">
        <div id="spec-faults" ref={summary} tabIndex={-1} role="status">
          {faults.length === 0 ? (
            <p class="good">{text.valid}</p>
          ) : (
            <>
              <p class="bad">{text.faults(faults.length)}</p>
              <ul>
                {faults.map(({ path, detail }) => (
                  <li key={`${path} ${detail}`}>
                    {path === "" ? null : <code>{path}</code>} {detail}
                  </li>
                ))}
              </ul>
            </>
          )}
        </div>
        <button type="submit" disabled={busy.value}>
          {text.create}
        </button>
        <span class="soft small">{text.createHint}</span>
      </div>
      <RestLinks resources={[{ method: "POST", path: routes.runs(), body: draft.value }]} />
    </form>
  );
}
