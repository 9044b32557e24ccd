import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";

/** A beginning, and what a model of text writes after it. */
export function WriteForm({ state, window }: { state: PageState; window: number }) {
  const { write, beginning, beginningHint, goOn, nothing, writes } = words.model;
  const written = state.modelUse.written.value;
  return (
    <>
      <h3>{write}</h3>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void state.writeOn(event.currentTarget.querySelector("textarea")!.value);
        }}
      >
        <label class="field">
          <span>{beginning}</span>
          <textarea rows={2} aria-describedby="beginning-hint" />
          <small id="beginning-hint" class="hint">
            {beginningHint(window)}
          </small>
        </label>
        <button type="submit">{goOn}</button>
      </form>
      <div class="answer" role="status" aria-busy={written?.done === false}>
        <p>{written === undefined ? nothing : writes}</p>
        {written === undefined ? null : (
          <p class="written">
            {written.beginning}
            <strong>{written.text}</strong>
          </p>
        )}
      </div>
    </>
  );
}
