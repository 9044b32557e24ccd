import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";

/** Between a reload and joining again. */
export function ResumingSection({ state }: { state: PageState }) {
  const { title, why, stop } = words.resuming;
  return (
    <section class="card" aria-labelledby="resuming">
      <h2 id="resuming">{title}</h2>
      <p role="status">{why}</p>
      <progress aria-label={title} />
      <p class="buttons">
        <button type="button" class="secondary" onClick={() => state.goingOn.stop()}>
          {stop}
        </button>
      </p>
    </section>
  );
}
