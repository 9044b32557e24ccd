import { words } from "../words.ts";

/** Takes the names of classes in their order, while they are typed or once they are. */
export function ClassesField(props: {
  id: string;
  onTyping?: (names: readonly string[]) => void;
  onTyped?: (names: readonly string[]) => void;
}) {
  const { id, onTyping, onTyped } = props;
  return (
    <label class="field">
      <span>{words.data.csvClasses}</span>
      <input
        type="text"
        aria-describedby={id}
        onInput={(event) => onTyping?.(namesIn(event.currentTarget.value))}
        onChange={(event) => onTyped?.(namesIn(event.currentTarget.value))}
      />
      <small id={id} class="hint">
        {words.data.csvClassesHint}
      </small>
    </label>
  );
}

function namesIn(text: string): readonly string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
