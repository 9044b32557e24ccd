import { type Signal, signal } from "@preact/signals";
import type { PageLedger } from "../ledger/ledger.ts";
import type { DataFound } from "../training/messages.ts";
import type { Training } from "../training/training.ts";
import type { DeviceHere, FromDevice, Joining, ToDevice } from "./messages.ts";
import { type PartState, partBefore } from "./part-state.ts";

/** One device's part in one run, worked on in a worker of its own. */
export class Part {
  readonly state: Signal<PartState>;
  /** What the part was taken with. */
  readonly found: DataFound;
  readonly #worker = newWorker();

  /** `onToken` hears of the session's token, with which the page may look at the run. */
  constructor(
    joining: Joining,
    { training, ledger, onToken }: { training: Training; ledger: PageLedger; onToken: (token: string) => void },
  ) {
    const state = signal(partBefore(joining.run));
    this.state = state;
    this.found = joining.found;
    this.#worker.addEventListener("message", ({ data: message }: MessageEvent<FromDevice>) => {
      if (message.type === "state") state.value = message.state;
      if (message.type === "departed") ledger.record(message.departed);
      if (message.type === "registered") onToken(message.token);
    });
    this.#worker.addEventListener("error", ({ message }) => {
      const detail = message || "its code could not be loaded";
      state.value = { ...state.value, ending: { kind: "failed", detail } };
    });
    const channel = training.channel();
    this.#worker.postMessage({ type: "join", joining, training: channel } satisfies ToDevice, [channel]);
  }

  /** Resolves when the coordinator was told, or could not be. */
  async leave(): Promise<void> {
    this.#worker.postMessage({ type: "leave" } satisfies ToDevice);
    await new Promise<void>((resolve) => {
      const stop = this.state.subscribe(({ ending }) => {
        if (ending === undefined) return;
        resolve();
        queueMicrotask(() => stop());
      });
    });
    this.#worker.terminate();
  }
}

/** Makes this tab's device known to a coordinator: a token to look at its runs with. Rejects with the refusal. */
export async function register(device: DeviceHere, ledger: PageLedger): Promise<string> {
  const worker = newWorker();
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener("error", ({ message }) => reject(new Error(message)));
      worker.addEventListener("message", ({ data: message }: MessageEvent<FromDevice>) => {
        if (message.type === "registered") resolve(message.token);
        if (message.type === "departed") ledger.record(message.departed);
        if (message.type === "refused") reject(new Error(message.detail));
      });
      worker.postMessage({ type: "register", device } satisfies ToDevice);
    });
  } finally {
    worker.terminate();
  }
}

function newWorker(): Worker {
  return new Worker(new URL("./device-worker.ts", import.meta.url), { type: "module", name: "device" });
}
