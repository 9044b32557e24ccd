import { fileURLToPath } from "node:url";
import { type MessagePort, parentPort, type TransferListItem, Worker } from "node:worker_threads";
import { type Problem, ProtocolError } from "@tributary/protocol";

/** The worker files, always compiled ones: Node 20 cannot run TypeScript, also when tests run this file's source. */
export const workerFiles = {
  model: fileURLToPath(new URL("../dist/model-worker.js", import.meta.url)),
  unmask: fileURLToPath(new URL("../dist/unmask-worker.js", import.meta.url)),
} as const;

type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly problem: Problem }
  | { readonly id: number; readonly error: string };

/** Calls to a worker thread of our own, each answered by id. The worker starts with the first call. */
export class WorkerCalls<Request> {
  readonly #file: string;
  readonly #pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #worker: Worker | undefined;
  #next = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Rejects with the refusal that the worker threw, or with an Error that holds its stack. */
  ask<Value>(request: Request, transfer: readonly TransferListItem[] = []): Promise<Value> {
    const worker = this.#start();
    const id = this.#next++;
    return new Promise<Value>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: never) => void, reject });
      try {
        worker.postMessage({ id, request }, transfer);
      } catch (error) {
        this.#pending.delete(id);
        reject(error as Error);
      }
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    // Not this process's own flags: under `--conditions source`, as tests have it, compiled code would load sources.
    const worker = new Worker(this.#file, { execArgv: [] });
    worker.on("message", (reply: Reply) => this.#settle(reply));
    worker.on("error", (error) => this.#failAll(error));
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  #settle(reply: Reply): void {
    const waiting = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (waiting === undefined) return;
    if ("value" in reply) waiting.resolve(reply.value as never);
    else if ("problem" in reply) waiting.reject(ProtocolError.from(reply.problem));
    else waiting.reject(new Error(reply.error));
  }

  #failAll(error: Error): void {
    this.#worker = undefined;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/**
 * The worker's side: answers every call with what `handle` gives or throws. What `given` names of an answer changes hands;
 * the rest is copied, the copy made on the thread that asked.
 */
export function serveCalls<Request, Value>(
  handle: (request: Request) => Promise<Value>,
  given: (value: Value) => readonly TransferListItem[] = () => [],
): void {
  const port = parentPort as MessagePort;
  port.on("message", ({ id, request }: { id: number; request: Request }) => {
    handle(request).then(
      (value) => port.postMessage({ id, value } satisfies Reply, given(value)),
      (error: unknown) => port.postMessage(failure(id, error)),
    );
  });
}

function failure(id: number, error: unknown): Reply {
  if (error instanceof ProtocolError) return { id, problem: error.problem() };
  return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
