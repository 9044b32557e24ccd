import { Mark } from "../view/mark.tsx";
import { type Schema, SchemaView } from "./schema-view.tsx";

interface Media {
  readonly schema?: Schema;
}
interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Record<string, unknown>[];
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: Schema }[];
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<string, { readonly description: string; readonly content?: Record<string, Media> }>;
}
/** The part of an OpenAPI 3.1 document that is shown. */
export interface OpenApi {
  readonly info: { readonly title: string; readonly description?: string };
  readonly tags?: readonly { readonly name: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

/** Every operation of the API by subject, then the schemas they share. `api` is a text when it cannot be had. */
export function Reference({ api }: { api: OpenApi | string | undefined }) {
  return (
    <>
      <header>
        <p class="brand">
          <Mark />
          <a href="../">Tributary</a>
        </p>
        <nav aria-label="Elsewhere">
          <a href="../openapi.json">openapi.json</a>
        </nav>
      </header>
      <main class="docs">
        <h1>REST API</h1>
        {api === undefined ? <p class="soft">Loading…</p> : null}
        {typeof api === "string" ? (
          <p class="bad" role="alert">
            {api}
          </p>
        ) : null}
        {typeof api === "object" ? <Operations api={api} /> : null}
      </main>
    </>
  );
}

function Operations({ api }: { api: OpenApi }) {
  const all = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  return (
    <>
      <p class="soft">{api.info.description}</p>
      {api.tags?.map(({ name }) => (
        <section key={name}>
          <h2>{name}</h2>
          {all
            .filter(({ operation }) => operation.tags?.includes(name))
            .map((one) => (
              <OperationView key={one.operation.operationId} {...one} />
            ))}
        </section>
      ))}
      <section>
        <h2>schemas</h2>
        {Object.entries(api.components.schemas).map(([name, schema]) => (
          <details key={name} class="card" id={`schema-${name}`}>
            <summary>
              <code>{name}</code>
            </summary>
            <SchemaView schema={schema} />
          </details>
        ))}
      </section>
    </>
  );
}

function OperationView({ path, method, operation }: { path: string; method: string; operation: Operation }) {
  const { summary, security, parameters, requestBody, responses } = operation;
  const who = security?.flatMap((scheme) => Object.keys(scheme)).join(" or ");
  return (
    <details class="card" id={operation.operationId}>
      <summary>
        <code>
          <b>{method}</b> {path}
        </code>
        <span>{summary}</span>
      </summary>
      <p class="soft">{who === undefined ? "Anyone may call it." : `Needs the token of: ${who}.`}</p>
      {parameters === undefined ? null : (
        <>
          <h3>Parameters</h3>
          <ul>
            {parameters.map((parameter) => (
              <li key={parameter.name}>
                <code>{parameter.name}</code> ({parameter.in}
                {parameter.required === true ? ", required" : ""}) <SchemaView schema={parameter.schema} />
              </li>
            ))}
          </ul>
        </>
      )}
      {requestBody === undefined ? null : (
        <>
          <h3>Body</h3>
          <Content content={requestBody.content} />
        </>
      )}
      <h3>Answers</h3>
      <ul>
        {Object.entries(responses).map(([status, { description, content }]) => (
          <li key={status}>
            <b>{status}</b> {description === "Default Response" ? "" : description}
            {content === undefined ? null : <Content content={content} />}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Content({ content }: { content: Record<string, Media> }) {
  return (
    <ul>
      {Object.entries(content).map(([type, { schema }]) => (
        <li key={type}>
          <code>{type}</code> {schema === undefined ? null : <SchemaView schema={schema} />}
        </li>
      ))}
    </ul>
  );
}
