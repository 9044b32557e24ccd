import { useSignal } from "@preact/signals";
import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";

/** Picks one device's digits of the built-in set. */
export function DigitsForm({ state }: { state: PageState }) {
  const of = useSignal(10);
  const device = useSignal(1 + Math.floor((10 * crypto.getRandomValues(new Uint8Array(1))[0]!) / 256));
  const examples = useSignal(6000);
  const number = (field: { value: number }, event: { currentTarget: HTMLInputElement }) => {
    field.value = event.currentTarget.valueAsNumber;
    state.data.forget();
  };
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        void state.data.open({ kind: "digits", device: device.value, of: of.value, examples: examples.value });
      }}
    >
      <label class="field small">
        <span>{words.data.demoDevice}</span>
        <input
          type="number"
          required
          min={1}
          max={of.value}
          value={device.value}
          onInput={(event) => number(device, event)}
        />
      </label>
      <label class="field small">
        <span>{words.data.demoOf}</span>
        <input type="number" required min={1} max={1000} value={of.value} onInput={(event) => number(of, event)} />
      </label>
      <label class="field small">
        <span>{words.data.demoExamples}</span>
        <input
          type="number"
          required
          min={100}
          max={60000}
          step={100}
          value={examples.value}
          onInput={(event) => number(examples, event)}
        />
      </label>
      <button type="submit" class="secondary">
        {words.data.demoButton}
      </button>
    </form>
  );
}
