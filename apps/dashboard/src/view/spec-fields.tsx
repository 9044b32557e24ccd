import { useId } from "preact/hooks";
import type { Fault } from "../spec/faults.ts";
import { type Field, typed, valueAt, withValue, written } from "../spec/fields.ts";
import { fieldName, words } from "../words.ts";

const text = words.form;
/** What few runs change is folded away. */
const seldom = new Set(["deadlines", "secure", "evaluation", "seed"]);

export interface SpecFieldsProps {
  readonly field: Field;
  readonly draft: unknown;
  readonly faults: readonly Fault[];
  readonly onChange: (draft: unknown) => void;
}

/** A field, or a group with its members, each with what is wrong with it. */
export function SpecFields(props: SpecFieldsProps) {
  const { field, draft, faults, onChange } = props;
  switch (field.kind) {
    case "group":
      return field.path === "" ? <Root {...props} fields={field.fields} /> : <Group {...props} fields={field.fields} />;
    case "variants":
      return (
        <Group {...props} fields={field.fields}>
          <Labelled path={tagPath(field)} faults={own(faults, tagPath(field), false)} note="">
            {(aria) => (
              <select
                {...aria}
                value={field.chosen.label}
                onChange={(event) => {
                  const chosen = field.options.find(({ label }) => label === event.currentTarget.value)!;
                  onChange(withValue(draft, field.path, chosen.start));
                }}
              >
                {field.options.map(({ label }) => (
                  <option key={label} value={label}>
                    {label}
                  </option>
                ))}
              </select>
            )}
          </Labelled>
        </Group>
      );
    case "choice":
    case "number":
    case "word":
    case "numbers":
    case "words":
    case "json":
      return <Leaf {...props} leaf={field} />;
  }
}

function Root({ fields, ...rest }: SpecFieldsProps & { fields: readonly Field[] }) {
  const shown = fields.filter(({ path }) => !seldom.has(path));
  const folded = fields.filter(({ path }) => seldom.has(path));
  const leaves = shown.filter(({ kind }) => kind !== "group" && kind !== "variants");
  const groups = shown.filter(({ kind }) => kind === "group" || kind === "variants");
  const isAtFault = rest.faults.some(({ path }) => seldom.has(path.split(".")[0]!));
  return (
    <>
      <div class="card fields">
        {leaves.map((field) => (
          <SpecFields key={field.path} {...rest} field={field} />
        ))}
      </div>
      {groups.map((field) => (
        <SpecFields key={field.path} {...rest} field={field} />
      ))}
      <details open={isAtFault ? true : undefined}>
        <summary>{text.more}</summary>
        {folded.map((field) => (
          <SpecFields key={field.path} {...rest} field={field} />
        ))}
      </details>
    </>
  );
}

function Group(props: SpecFieldsProps & { fields: readonly Field[]; children?: preact.ComponentChildren }) {
  const { field, fields, faults, children, ...rest } = props;
  return (
    <fieldset class="card">
      <legend>{fieldName(field.path)}</legend>
      <Faults faults={own(faults, field.path, false)} />
      <div class="fields">
        {children}
        {fields.map((member) => (
          <SpecFields key={member.path} {...rest} faults={faults} field={member} />
        ))}
      </div>
    </fieldset>
  );
}

function Leaf(props: SpecFieldsProps & { leaf: Exclude<Field, { kind: "group" | "variants" }> }) {
  const { leaf, draft, faults, onChange } = props;
  const { path, kind, isOptional } = leaf;
  const value = valueAt(draft, path);
  const set = (entered: string) => onChange(withValue(draft, path, typed(kind, entered)));
  const fallback = leaf.default === undefined ? "" : text.byDefault(written(leaf.default) || text.none);
  const form = kind === "numbers" || kind === "words" ? text.list : "";
  const note = [words.hints[path], form, fallback || (isOptional ? text.optional : "")].filter(Boolean).join("; ");
  return (
    <Labelled path={path} faults={own(faults, path, true)} note={note}>
      {(aria) =>
        leaf.kind === "choice" ? (
          <select {...aria} value={written(value ?? leaf.default)} onChange={(event) => set(event.currentTarget.value)}>
            {leaf.options.map((option) => (
              <option key={option} value={option}>
                {option}
              </option>
            ))}
          </select>
        ) : (
          <input
            {...aria}
            type="text"
            inputMode={kind === "number" ? "decimal" : "text"}
            autocomplete="off"
            defaultValue={written(value)}
            onInput={(event) => set(event.currentTarget.value)}
          />
        )
      }
    </Labelled>
  );
}

interface Aria {
  readonly id: string;
  readonly "aria-invalid": boolean;
  readonly "aria-describedby": string;
}

function Labelled(props: {
  path: string;
  faults: readonly Fault[];
  note: string;
  children: (aria: Aria) => preact.ComponentChildren;
}) {
  const { path, faults, note, children } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{fieldName(path)}</label>
      {children({ id, "aria-invalid": faults.length > 0, "aria-describedby": `${id}-told` })}
      <div id={`${id}-told`} class="told">
        {faults.length > 0 ? <Faults faults={faults} /> : <span class="soft small">{note || " "}</span>}
      </div>
    </div>
  );
}

function Faults({ faults }: { faults: readonly Fault[] }) {
  return (
    <>
      {faults.map(({ detail }) => (
        <span key={detail} class="bad small">
          {detail}
        </span>
      ))}
    </>
  );
}

/** The faults of exactly this field, and those of what lies within it where it has no fields of its own. */
function own(faults: readonly Fault[], path: string, isLeaf: boolean): Fault[] {
  return faults.filter((fault) => fault.path === path || (isLeaf && fault.path.startsWith(`${path}.`)));
}

function tagPath({ path, chosen }: { path: string; chosen: { start: object } }): string {
  return `${path}.${Object.keys(chosen.start)[0]}`;
}
