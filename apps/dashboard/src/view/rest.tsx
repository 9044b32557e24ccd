import { useSignal } from "@preact/signals";
import { type RunRecord, routes } from "@tributary/protocol";
import { useEffect } from "preact/hooks";
import { api, curlOf } from "../api.ts";
import { actionsFor } from "../dashboard.ts";
import { words } from "../words.ts";
import { copyText } from "./copy-text.ts";

export interface Resource {
  readonly method?: "GET" | "POST" | "DELETE";
  /** Words in capitals stand for an id that the reader puts in. */
  readonly path: string;
  readonly body?: unknown;
}

const copiedMs = 2_000;

/** What is behind every view of a run: its record, and the commands that its buttons send. */
export function behindRun(run: RunRecord): Resource[] {
  const commands = actionsFor(run).map(
    (action) => ({ method: "POST", path: routes.runAction(action, run.run) }) as const,
  );
  return [{ path: routes.run(run.run) }, ...commands];
}

/** The REST resources behind a view, each with the command that asks for it. */
export function RestLinks({ resources }: { resources: readonly Resource[] }) {
  const copied = useSignal<string | undefined>(undefined);
  const { value } = copied;
  useEffect(() => {
    if (value === undefined) return;
    const timer = setTimeout(() => {
      copied.value = undefined;
    }, copiedMs);
    return () => clearTimeout(timer);
  }, [copied, value]);
  return (
    <details class="card rest">
      <summary>{words.rest.title}</summary>
      {api.hasKey ? <p class="soft">{words.rest.key}</p> : null}
      {resources.some(({ path }) => /[A-Z]{3}/.test(path)) ? <p class="soft">{words.rest.placeholder}</p> : null}
      <ul>
        {resources.map((resource) => {
          const name = nameOf(resource);
          return <RestLink key={name} {...resource} isCopied={value === name} onCopied={() => (copied.value = name)} />;
        })}
      </ul>
      <p class="unseen" role="status">
        {value === undefined ? "" : words.rest.said(value)}
      </p>
    </details>
  );
}

const nameOf = ({ method = "GET", path }: Resource) => `${method} ${path}`;

function RestLink({ isCopied, onCopied, ...resource }: Resource & { isCopied: boolean; onCopied: () => void }) {
  const { method = "GET", path, body } = resource;
  const command = curlOf(method, path, body);
  const shown = useSignal(false);
  const copy = async () => {
    if (await copyText(command)) onCopied();
    // Not for this page: then the person copies it.
    else shown.value = true;
  };
  return (
    <li>
      {/* A link could not carry the key. */}
      {method === "GET" && !api.hasKey ? (
        <a href={path} target="_blank" rel="noreferrer">
          {nameOf(resource)}
        </a>
      ) : (
        <code>{nameOf(resource)}</code>
      )}
      <button
        type="button"
        class="inline copy"
        title={command}
        aria-label={`${words.rest.copy}: ${nameOf(resource)}`}
        onClick={() => void copy()}
      >
        {isCopied ? words.rest.copied : words.rest.copy}
      </button>
      {shown.value ? <code class="command">{command}</code> : null}
    </li>
  );
}
