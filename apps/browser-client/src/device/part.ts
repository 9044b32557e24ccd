import { type Signal, signal } from "@preact/signals";
import { ProtocolError } from "@tributary/protocol";
import type { PageLedger } from "../ledger/ledger.ts";
import type { DataFound } from "../training/messages.ts";
import type { Training } from "../training/training.ts";
import { words } from "../words.ts";
import { startWorker } from "../workers.ts";
import type { DeviceHere, FromDevice, Joining, ToDevice } from "./messages.ts";
import { type PartState, partBefore } from "./part-state.ts";

/** How long the device's worker may take over its farewell. */
const farewellMs = 5_000;

/** One device's part in one run, worked on in a worker of its own. */
export class Part {
  readonly state: Signal<PartState>;
  /** What the part was taken with. */
  readonly found: DataFound;
  readonly #worker = startWorker("device");

  /** `onToken` hears of the session's token, with which the page may look at the run. */
  constructor(
    joining: Joining,
    { training, ledger, onToken }: { training: Training; ledger: PageLedger; onToken: (token: string) => void },
  ) {
    const state = signal(partBefore(joining.run));
    this.state = state;
    this.found = joining.given.found;
    this.#worker.addEventListener("message", ({ data: message }: MessageEvent<FromDevice>) => {
      if (message.type === "state") state.value = message.state;
      if (message.type === "departed") ledger.record(message.departed);
      if (message.type === "registered") onToken(message.token);
    });
    this.#worker.addEventListener("error", ({ message }) => {
      const detail = message || words.files.noCode;
      state.value = { ...state.value, ending: { kind: "broken", detail } };
    });
    const channel = training.channel();
    this.#worker.postMessage({ type: "join", joining, training: channel } satisfies ToDevice, [channel]);
  }

  /** Has this device take part in nothing for now, or again. */
  pause(isPaused: boolean): void {
    this.#worker.postMessage({ type: "pause", isPaused } satisfies ToDevice);
  }

  /** Resolves when the coordinator was told, or could not be; nothing is sent from then on. */
  async leave(): Promise<void> {
    this.#worker.postMessage({ type: "leave" } satisfies ToDevice);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, farewellMs);
      const stop = this.state.subscribe(({ ending }) => {
        if (ending === undefined) return;
        clearTimeout(timer);
        resolve();
        queueMicrotask(() => stop());
      });
    });
    this.#worker.terminate();
    this.state.value = { ...this.state.value, ending: this.state.value.ending ?? { kind: "left" } };
  }
}

/** Makes this tab's device known to a coordinator: a token to look at its runs with. Rejects with the refusal. */
export async function register(device: DeviceHere, ledger: PageLedger): Promise<string> {
  const worker = startWorker("device");
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener("error", ({ message }) => reject(new Error(message)));
      worker.addEventListener("message", ({ data: message }: MessageEvent<FromDevice>) => {
        if (message.type === "registered") resolve(message.token);
        if (message.type === "departed") ledger.record(message.departed);
        if (message.type === "refused") {
          const { code, detail } = message;
          reject(code === undefined ? new Error(detail) : new ProtocolError(code, detail));
        }
      });
      worker.postMessage({ type: "register", device } satisfies ToDevice);
    });
  } finally {
    worker.terminate();
  }
}
