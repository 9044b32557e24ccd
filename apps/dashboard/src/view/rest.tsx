import { useSignal } from "@preact/signals";
import { api, curlOf } from "../api.ts";
import { words } from "../words.ts";

export interface Resource {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
}

/** The REST resources behind a view, each with the command that asks for it. */
export function RestLinks({ resources }: { resources: readonly Resource[] }) {
  return (
    <details class="card rest">
      <summary>{words.rest.title}</summary>
      {api.hasKey ? <p class="soft">{words.rest.key}</p> : null}
      <ul>
        {resources.map((resource) => (
          <RestLink key={`${resource.method} ${resource.path}`} {...resource} />
        ))}
      </ul>
    </details>
  );
}

function RestLink({ method = "GET", path, body }: Resource) {
  const copied = useSignal(false);
  const command = curlOf(method, path, body);
  const shown = useSignal(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
    } catch {
      // No clipboard off a secure origin, or not for this page: then the person copies it.
      shown.value = true;
      return;
    }
    copied.value = true;
    setTimeout(() => {
      copied.value = false;
    }, 2_000);
  };
  return (
    <li>
      {/* A link could not carry the key. */}
      {method === "GET" && !api.hasKey ? (
        <a href={path} target="_blank" rel="noreferrer">
          GET {path}
        </a>
      ) : (
        <code>
          {method} {path}
        </code>
      )}
      <button
        type="button"
        class="inline"
        title={command}
        aria-label={`${words.rest.copy}: ${method} ${path}`}
        onClick={() => void copy()}
      >
        {copied.value ? words.rest.copied : words.rest.copy}
      </button>
      {shown.value ? <code class="command">{command}</code> : null}
    </li>
  );
}
