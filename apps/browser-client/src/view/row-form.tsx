import { words } from "../words.ts";

/** One row of a table, typed: a number for each feature, a tick for each value of a column of words. */
export function RowForm({ features, onTyped }: { features: readonly string[]; onTyped: (row: Float32Array) => void }) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const fields = Array.from(event.currentTarget.querySelectorAll("input"));
        onTyped(
          Float32Array.from(fields, (field) => (field.type === "checkbox" ? +field.checked : field.valueAsNumber)),
        );
      }}
    >
      <div class="row fields">
        {features.map((name) =>
          name.includes("=") ? (
            <label key={name} class="tick">
              <input type="checkbox" />
              <span>{name}</span>
            </label>
          ) : (
            <label key={name} class="field small">
              <span>{name}</span>
              <input type="number" step="any" required value={0} />
            </label>
          ),
        )}
      </div>
      <button type="submit">{words.model.ask}</button>
    </form>
  );
}
