import type { PageState } from "../page-state.ts";
import { words } from "../words.ts";
import { DeviceControls } from "./device-controls.tsx";

/** The engine that was found, and why not a better one. */
export function DeviceSection({ state }: { state: PageState }) {
  const engine = state.engine.state.value;
  const busy = state.runs.run.value !== undefined && (engine.kind === "loading" || engine.kind === "starting");
  return (
    <section class="card device" aria-labelledby="device">
      <h2 id="device">{words.device.title}</h2>
      <div class="found-engine" role="status">
        {engine.kind === "loading" && busy ? <p>{words.device.loading}</p> : null}
        {engine.kind === "starting" ? <p>{words.device.starting(engine.engine)}</p> : null}
        {engine.kind === "ready" ? (
          <>
            <p>
              <strong>{words.device.ready(engine.found.engine, engine.found.adapter)}</strong>
            </p>
            <p>{speedText(state.runs.run.value?.model !== undefined, engine.speed)}</p>
            <p class="hint">{words.device.proof(engine.found.parity)}</p>
            <p class="hint">{words.device.why(engine.found.reason)}</p>
          </>
        ) : null}
      </div>
      {busy ? <progress aria-label={words.device.title} /> : null}
      <DeviceControls use={state.use} />
      <p class="refusal" role="alert">
        {engine.kind === "failed" ? `${engine.detail} ${words.reload}` : ""}
      </p>
    </section>
  );
}

function speedText(hasLayers: boolean, speed: number | undefined): string {
  if (!hasLayers) return words.device.noLayers;
  return speed === undefined ? words.device.measuring : words.device.speed(speed);
}
