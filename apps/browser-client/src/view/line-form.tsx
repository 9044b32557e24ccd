import { words } from "../words.ts";

/** One line in LIBSVM's form. */
export function LineForm({ features, onTyped }: { features: number; onTyped: (line: string) => void }) {
  const { line, lineHint, ask } = words.model;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onTyped(event.currentTarget.querySelector("input")!.value);
      }}
    >
      <label class="field">
        <span>{line}</span>
        <input type="text" required spellcheck={false} autocomplete="off" aria-describedby="line-hint" />
        <small id="line-hint" class="hint">
          {lineHint(features)}
        </small>
      </label>
      <button type="submit">{ask}</button>
    </form>
  );
}
