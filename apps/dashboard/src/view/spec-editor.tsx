import { type Signal, signal, useSignal } from "@preact/signals";
import { routes } from "@tributary/protocol";
import { useMemo, useRef } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { firstDraft } from "../spec/first-draft.ts";
import { formOf } from "../spec/form.ts";
import type { Verdict } from "../spec/verdict.ts";
import { textOf, type Writing, withDraft, withText, writingOf } from "../spec/writing.ts";
import { useVerdict } from "../use-verdict.ts";
import { words } from "../words.ts";
import { Confirm, type Question } from "./confirm.tsx";
import { RestLinks } from "./rest.tsx";
import { SpecFields } from "./spec-fields.tsx";
import { SpecStatus, SpokenStatus } from "./spec-status.tsx";

const text = words.form;

export interface SpecEditorProps {
  readonly dashboard: Dashboard;
  /** The run that the specification begins as, and its own. */
  readonly from: string | undefined;
  readonly start: unknown;
}

/** A run's specification as a form or as JSON, checked at every change by what the coordinator checks it with. */
export function SpecEditor({ dashboard, from, start = firstDraft }: SpecEditorProps) {
  const writing = useMemo(() => keptWriting(dashboard, from, start), [dashboard, from, start]);
  const { draft, isJson, json } = writing.value;
  const asked = useSignal<Question | undefined>(undefined);
  const busy = useSignal(false);
  const summary = useRef<HTMLDivElement>(null);
  const { verdict: judged, create } = useVerdict(dashboard, draft.spec);
  const unread = json?.fault;
  const verdict: Verdict =
    isJson && unread !== undefined ? { kind: "faulty", faults: [{ path: "", detail: text.notJson(unread) }] } : judged;
  const faults = verdict.kind === "faulty" ? verdict.faults : [];

  const submit = async () => {
    busy.value = true;
    const isCreated = faults.length === 0 && (await create());
    busy.value = false;
    if (isCreated) dashboard.writings.delete(from);
    else summary.current?.focus();
  };
  const startOver = () => {
    writing.value = writingOf(start);
  };

  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Ways writing={writing} onStartOver={() => (asked.value = { ...text.starting, onYes: startOver })} />
      {isJson ? (
        <label class="card field">
          {text.jsonLabel}
          <span class="soft small">{text.jsonHint}</span>
          <textarea
            rows={24}
            spellcheck={false}
            aria-invalid={faults.length > 0}
            aria-describedby="spec-faults"
            value={textOf(writing.value)}
            onInput={(event) => (writing.value = withText(writing.value, event.currentTarget.value))}
          />
        </label>
      ) : (
        <>
          {unread === undefined ? null : <p class="banner lost">{text.unread(unread)}</p>}
          <SpecFields
            field={formOf(draft.spec)}
            draft={draft}
            faults={faults}
            onChange={(next) => (writing.value = withDraft(writing.value, next))}
          />
        </>
      )}
      <div class="submit card">
        <div id="spec-faults" ref={summary} tabIndex={-1}>
          <SpecStatus verdict={verdict} />
        </div>
        <SpokenStatus verdict={verdict} />
        <button type="submit" disabled={busy.value}>
          {busy.value ? text.creating : text.create}
        </button>
        <span class="soft small">{text.createHint}</span>
      </div>
      <RestLinks
        resources={[routes.runs(), routes.runCheck()].map((path) => ({ method: "POST", path, body: draft.spec }))}
      />
      <Confirm asked={asked.value} onClose={() => (asked.value = undefined)} />
    </form>
  );
}

/** What was being written when this place was last left, or a beginning. */
function keptWriting(dashboard: Dashboard, from: string | undefined, start: unknown): Signal<Writing> {
  const writing = dashboard.writings.get(from) ?? signal(writingOf(start));
  dashboard.writings.set(from, writing);
  return writing;
}

/** The ways to write a specification, and the way back to its beginning. */
function Ways({ writing, onStartOver }: { writing: Signal<Writing>; onStartOver: () => void }) {
  return (
    <div class="row">
      <fieldset class="chips" aria-label={text.ways}>
        {([false, true] as const).map((isJson) => (
          <label key={`${isJson}`} class="chip">
            <input
              type="radio"
              name="way"
              checked={writing.value.isJson === isJson}
              onChange={() => (writing.value = { ...writing.value, isJson })}
            />
            {isJson ? text.json : text.form}
          </label>
        ))}
      </fieldset>
      <button type="button" class="inline" onClick={onStartOver}>
        {text.startOver}
      </button>
    </div>
  );
}
