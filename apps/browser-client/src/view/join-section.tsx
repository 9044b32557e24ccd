import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";

/** Nothing is sent before this button. */
export function JoinSection({ state }: { state: PageState }) {
  const lacking = state.lacking.value;
  return (
    <section class="card join" aria-labelledby="join">
      <h2 id="join">{words.join.title}</h2>
      <p>{words.join.leaves}</p>
      <button
        type="button"
        disabled={lacking !== undefined}
        aria-describedby="join-note"
        onClick={() => void state.join()}
      >
        {words.join.button}
      </button>
      <p id="join-note" class="hint" role="status">
        {lacking === undefined ? words.join.nothing : words.join.waiting[lacking]}
      </p>
    </section>
  );
}
