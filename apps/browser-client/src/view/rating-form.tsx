import type { DataSpec } from "@tributary/protocol";
import { words } from "../words.ts";

type Names = NonNullable<DataSpec["users"]>;

/** A user and an item of a run, given as their indices. */
export function RatingForm(props: { users: Names; items: Names; onChosen: (pair: Float32Array) => void }) {
  const { users, items, onChosen } = props;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const chosen = new FormData(event.currentTarget);
        onChosen(Float32Array.of(Number(chosen.get("user")), Number(chosen.get("item"))));
      }}
    >
      <div class="row fields">
        <NameField name="user" label={words.model.user} names={users} />
        <NameField name="item" label={words.model.item} names={items} />
      </div>
      <button type="submit">{words.model.ask}</button>
    </form>
  );
}

/** One of several names; where names are whole numbers from 0, one of these. */
function NameField({ name, label, names }: { name: string; label: string; names: Names }) {
  const id = `rating-${name}`;
  return (
    <div class="field small">
      <label htmlFor={id}>{label}</label>
      {typeof names === "number" ? (
        <input id={id} type="number" name={name} required min={0} max={names - 1} step={1} value={0} />
      ) : (
        <select id={id} name={name}>
          {names.map((one, index) => (
            <option key={one} value={index}>
              {one}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}
