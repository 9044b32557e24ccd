import { useSignal } from "@preact/signals";
import type { Fault } from "@tributary/protocol";
import { useId } from "preact/hooks";
import { type Leaf, typed, written } from "../spec/leaf.ts";
import { fieldName, hintOf, words } from "../words.ts";

const text = words.form;

interface LeafFieldProps {
  readonly leaf: Leaf;
  readonly value: unknown;
  readonly faults: readonly Fault[];
  readonly onEnter: (value: unknown) => void;
}

/** A value that is typed or chosen. It shows the draft's, spelt as it was typed for as long as that is what it means. */
export function LeafField({ leaf, value, faults, onEnter }: LeafFieldProps) {
  const typing = useSignal<{ text: string; value: unknown } | undefined>(undefined);
  const spelt = typing.value !== undefined && Object.is(typing.value.value, value) ? typing.value.text : undefined;
  const shown = spelt ?? written(leaf, value);
  const enter = (entered: string) => {
    typing.value = { text: entered, value: typed(leaf, entered) };
    onEnter(typing.value.value);
  };
  const { kind } = leaf;
  const standing = value === undefined ? leaf.default : value;
  return (
    <Labelled path={leaf.path} faults={faults} note={noteOf(leaf, standing)}>
      {(aria) => {
        if (kind === "choice") {
          const { isOptional, options } = leaf;
          return (
            <Choice
              {...{ aria, isOptional }}
              options={options.map(String)}
              shown={written(leaf, standing)}
              onChoose={enter}
            />
          );
        }
        const common = {
          ...aria,
          value: shown,
          autocomplete: "off",
          spellcheck: false,
          onInput: (event: Event) => enter((event.currentTarget as HTMLInputElement).value),
        };
        if (kind === "text" || kind === "json") return <textarea {...common} rows={4} />;
        return (
          <input
            {...common}
            type="text"
            inputMode={kind === "number" && leaf.words.length === 0 ? "decimal" : "text"}
          />
        );
      }}
    </Labelled>
  );
}

function noteOf(leaf: Leaf, standing: unknown): string {
  const hint = hintOf(leaf.path, leaf.kind === "choice" ? written(leaf, standing) : undefined);
  const form = { numbers: text.list, words: text.list, names: text.names, json: text.asJson }[leaf.kind as string];
  const others = leaf.kind === "number" && leaf.words.length > 0 ? text.orWords(leaf.words) : undefined;
  const fallback = leaf.default === undefined ? undefined : text.byDefault(spoken(written(leaf, leaf.default)));
  const optional = leaf.isOptional ? text.optional : undefined;
  return [hint, form, others, fallback ?? optional].filter(Boolean).join("; ");
}

const spoken = (option: string) => ({ "": text.none, true: text.yes, false: text.no })[option] ?? option;

interface ChoiceProps {
  readonly aria: Aria;
  readonly options: readonly string[];
  /** One of the options, nothing, or what else is there. */
  readonly shown: string;
  /** Nothing may be chosen as well. */
  readonly isOptional: boolean;
  readonly onChoose: (option: string) => void;
}

/** One of some options. What nobody chose is not shown as chosen, and what is no option is shown as it is. */
export function Choice({ aria, options, shown, isOptional, onChoose }: ChoiceProps) {
  return (
    <select {...aria} value={shown} onChange={(event) => onChoose(event.currentTarget.value)}>
      {isOptional ? <option value="">{text.none}</option> : null}
      {options.includes(shown) || (isOptional && shown === "") ? null : (
        <option value={shown} disabled>
          {shown === "" ? text.choose : shown}
        </option>
      )}
      {options.map((option) => (
        <option key={option} value={option}>
          {spoken(option)}
        </option>
      ))}
    </select>
  );
}

interface Aria {
  readonly id: string;
  readonly "aria-invalid": boolean;
  readonly "aria-describedby": string;
}

export function Labelled(props: {
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
        <Faults faults={faults} />
        {note === "" ? null : <span class="soft small">{note}</span>}
      </div>
    </div>
  );
}

export function Faults({ faults }: { faults: readonly Fault[] }) {
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
