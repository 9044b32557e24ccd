import type { DeviceUse } from "../device-use.ts";
import { words } from "../words.ts";

/** How much of the device to give, and when to pause: before and during a part alike. */
export function DeviceControls({ use }: { use: DeviceUse }) {
  const { share, shareText, battery, noBattery, screen, noScreen, hidden } = words.use;
  const { phone, locks, wakeLock } = use.background;
  return (
    <div class="use">
      <label class="field">
        <span>
          {share} <b>{shareText(use.share.value)}</b>
        </span>
        <input
          type="range"
          min={10}
          max={100}
          step={10}
          value={use.share.value}
          onInput={(event) => (use.share.value = event.currentTarget.valueAsNumber)}
        />
      </label>
      {use.onBattery.value === undefined ? (
        <p class="hint">{noBattery}</p>
      ) : (
        <Tick text={battery} field={use.pauseOnBattery} />
      )}
      {wakeLock ? <Tick text={screen} field={use.keepScreenOn} /> : <p class="hint">{noScreen}</p>}
      <p class="hint">{phone ? hidden.phone : locks ? hidden.locks : hidden.nothing}</p>
    </div>
  );
}

function Tick({ text, field }: { text: string; field: { value: boolean } }) {
  return (
    <label class="tick">
      <input type="checkbox" checked={field.value} onChange={(event) => (field.value = event.currentTarget.checked)} />
      <span>{text}</span>
    </label>
  );
}

/** Stops the training at the next batch, and lets it go on. */
export function PauseButton({ use }: { use: DeviceUse }) {
  const { pause, resume } = words.use;
  return (
    <button type="button" class="secondary" onClick={() => (use.pausedByHand.value = !use.pausedByHand.value)}>
      {use.pausedByHand.value ? resume : pause}
    </button>
  );
}
