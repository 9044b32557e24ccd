import { useSignal } from "@preact/signals";
import type { Fault } from "@tributary/protocol";
import { useEffect } from "preact/hooks";
import { changed, chosen, type Draft } from "../spec/draft.ts";
import { type Field, type Variants, valueAt } from "../spec/fields.ts";
import { fieldName, hintOf, words } from "../words.ts";
import { Choice, Faults, Labelled, LeafField } from "./spec-field.tsx";

const text = words.form;
/** What few runs change is folded away. */
const seldom = new Set(["deadlines", "secure", "evaluation", "seed"]);

export interface SpecFieldsProps {
  readonly field: Field;
  readonly draft: Draft;
  readonly faults: readonly Fault[];
  readonly onChange: (draft: Draft) => void;
}

/** A field, or a group with its members, each with what is wrong with it. */
export function SpecFields(props: SpecFieldsProps) {
  const { field, draft, faults, onChange } = props;
  switch (field.kind) {
    case "group":
      return field.path === "" ? (
        <Root {...props} fields={field.fields} />
      ) : (
        <Group {...props} fields={field.fields} own={faultsAt(faults, field.path)} />
      );
    case "variants":
      return (
        <Group {...props} fields={field.fields} own={[]}>
          <VariantChoice {...props} field={field} />
        </Group>
      );
    case "choice":
    case "number":
    case "line":
    case "text":
    case "numbers":
    case "words":
    case "names":
    case "json": {
      const { path } = field;
      return (
        <LeafField
          leaf={field}
          value={valueAt(draft.spec, path)}
          faults={faults.filter((fault) => fault.path === path || fault.path.startsWith(`${path}.`))}
          onEnter={(value) => onChange(changed(draft, path, value))}
        />
      );
    }
  }
}

function Root({ fields, ...rest }: SpecFieldsProps & { fields: readonly Field[] }) {
  const shown = fields.filter(({ path }) => !seldom.has(path));
  const folded = fields.filter(({ path }) => seldom.has(path));
  const leaves = shown.filter((field) => !("fields" in field));
  const groups = shown.filter((field) => "fields" in field);
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
      <More isAtFault={isAtFault}>
        {folded.map((field) => (
          <SpecFields key={field.path} {...rest} field={field} />
        ))}
      </More>
    </>
  );
}

/** Opens for a fault within, and is closed by nobody but the person: who mends the fault is still typing there. */
function More({ isAtFault, children }: { isAtFault: boolean; children: preact.ComponentChildren }) {
  const isOpen = useSignal(false);
  useEffect(() => {
    if (isAtFault) isOpen.value = true;
  }, [isAtFault, isOpen]);
  return (
    <details open={isOpen.value} onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
      <summary>{text.more}</summary>
      {children}
    </details>
  );
}

interface GroupProps extends SpecFieldsProps {
  readonly fields: readonly Field[];
  readonly own: readonly Fault[];
  readonly children?: preact.ComponentChildren;
}

function Group({ field, fields, own, children, ...rest }: GroupProps) {
  const hint = hintOf(field.path, undefined);
  return (
    <fieldset class="card">
      <legend>{fieldName(field.path)}</legend>
      {hint === undefined ? null : <p class="soft small">{hint}</p>}
      <Faults faults={own} />
      <div class="fields">
        {children}
        {fields.map((member) => (
          <SpecFields key={member.path} {...rest} field={member} />
        ))}
      </div>
    </fieldset>
  );
}

function VariantChoice({ field, draft, faults, onChange }: SpecFieldsProps & { field: Variants }) {
  const { path, tag, options, isOptional } = field;
  const value = valueAt(draft.spec, path);
  const found = value === undefined ? "" : JSON.stringify(value).slice(0, 60);
  const choose = (label: string) => {
    const variant = options.find((option) => option.label === label);
    onChange(chosen(draft, field, variant));
  };
  return (
    <Labelled
      path={tag}
      faults={[...faultsAt(faults, path), ...faultsAt(faults, tag)]}
      note={hintOf(tag, field.chosen?.label) ?? ""}
    >
      {(aria) => (
        <Choice
          aria={aria}
          options={options.map(({ label }) => label)}
          shown={field.chosen?.label ?? found}
          isOptional={isOptional}
          onChoose={choose}
        />
      )}
    </Labelled>
  );
}

const faultsAt = (faults: readonly Fault[], at: string) => faults.filter(({ path }) => path === at);
