/** The part of JSON Schema that the API uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Record<string, Schema>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly default?: unknown;
  readonly [bound: string]: unknown;
}

const bounds = [
  "minimum",
  "exclusiveMinimum",
  "maximum",
  "exclusiveMaximum",
  "minLength",
  "maxLength",
  "pattern",
  "format",
];

/** A schema in words: its type and bounds, and a list of members where it is an object. */
export function SchemaView({ schema }: { schema: Schema }) {
  const named = schema.$ref?.split("/").at(-1);
  if (named !== undefined) return <a href={`#schema-${named}`}>{named}</a>;
  if (schema.anyOf !== undefined) {
    return (
      <>
        one of
        <ul>
          {schema.anyOf.map((branch) => (
            <li key={JSON.stringify(branch)}>
              <SchemaView schema={branch} />
            </li>
          ))}
        </ul>
      </>
    );
  }
  if (schema.type === "array" && schema.items !== undefined) {
    return (
      <>
        array of <SchemaView schema={schema.items} />
      </>
    );
  }
  if (schema.properties === undefined) return <span>{phrase(schema)}</span>;
  return (
    <ul>
      {Object.entries(schema.properties).map(([name, member]) => (
        <li key={name}>
          <code>{name}</code>
          {schema.required?.includes(name) === true ? "" : " (optional)"}: <SchemaView schema={member} />
        </li>
      ))}
    </ul>
  );
}

function phrase(schema: Schema): string {
  const limits = bounds.flatMap((name) => (schema[name] === undefined ? [] : [`${name} ${String(schema[name])}`]));
  const values = schema.enum?.map((value) => JSON.stringify(value)).join(" | ");
  const fallback = schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`];
  return [values ?? schema.type ?? "any JSON", ...limits, ...fallback].join(", ");
}
