import { useSignal } from "@preact/signals";
import type { Dashboard } from "../dashboard.ts";
import { words } from "../words.ts";

/** Asks for the admin key, off loopback. */
export function KeyForm({ dashboard, refused }: { dashboard: Dashboard; refused: boolean }) {
  const key = useSignal("");
  return (
    <form
      class="card key"
      onSubmit={(event) => {
        event.preventDefault();
        dashboard.useKey(key.value.trim());
      }}
    >
      <h1>{words.key.title}</h1>
      <p class="soft">{words.key.hint}</p>
      <label>
        <span>{words.key.label}</span>
        <input
          type="password"
          autocomplete="off"
          required
          aria-invalid={refused}
          value={key.value}
          onInput={(event) => {
            key.value = event.currentTarget.value;
          }}
        />
      </label>
      <p class="bad" role="alert">
        {refused ? words.key.refused : ""}
      </p>
      <button type="submit">{words.key.submit}</button>
    </form>
  );
}
