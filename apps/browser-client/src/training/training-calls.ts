import { ProtocolError } from "@tributary/protocol";
import type { CallName, FromTraining, ToTraining, WorkerCalls } from "./messages.ts";

/** A worker's or a channel's end, as calls need it. */
export interface Channel {
  postMessage(message: ToTraining, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: FromTraining }) => void): void;
}

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly onNews: ((news: never) => void) | undefined;
}

/** Questions to the training worker, over the worker itself or over a channel to it. */
export class TrainingCalls {
  readonly #channel: Channel;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.addEventListener("message", ({ data: message }) => {
      if ("id" in message) this.#settle(message);
    });
  }

  /** Asks the worker and gives its answer. Rejects with its refusal, with the signal's reason, or with our own bug. */
  call<Name extends CallName>(
    name: Name,
    ask: WorkerCalls[Name]["ask"],
    options: {
      signal?: AbortSignal;
      onNews?: (news: WorkerCalls[Name]["news"]) => void;
      /** What goes over to the worker for good. */
      transfer?: Transferable[];
    } = {},
  ): Promise<WorkerCalls[Name]["answer"]> {
    const id = ++this.#calls;
    const { signal, onNews, transfer = [] } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      this.#pending.set(id, { resolve, reject, onNews });
      signal?.addEventListener("abort", () => this.#cancel(id, signal.reason as Error), { once: true });
      this.#channel.postMessage({ type: "call", id, name, ask } as ToTraining, transfer);
    });
  }

  /** Rejects every call under way. */
  fail(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #settle(message: Extract<FromTraining, { id: number }>): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    if (message.type === "news") {
      pending.onNews?.(message.news as never);
      return;
    }
    this.#pending.delete(message.id);
    if (message.type === "answer") pending.resolve(message.answer as never);
    else if (message.type === "refused") pending.reject(new ProtocolError(message.code, message.detail));
    else pending.reject(new Error(message.detail));
  }

  /** The caller need not wait for the worker to notice. */
  #cancel(id: number, reason: Error): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#channel.postMessage({ type: "cancel", id, reason: reason.message }, []);
    pending.reject(reason);
  }
}
