import { clientHalfNamed } from "@tributary/catalog";
import { platformRandom } from "@tributary/participant";
import { ProtocolError } from "@tributary/protocol";
import { checkFits } from "@tributary/training";
import { findEngine, trainerFor } from "./engine.ts";
import type { CallName, FromTraining, ToTraining, WorkerCalls } from "./messages.ts";
import { columnsOf, type OpenedData, openChoice } from "./open-choice.ts";

// The data's side of the page: it reads files and trains. Its own policy lets it connect to nothing; what it works out
// goes to the device's worker, which holds the sockets and sees no example.

interface Asker {
  postMessage(message: FromTraining, transfer?: Transferable[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: ToTraining }) => void): void;
}

interface Call<Name extends CallName> {
  readonly ask: WorkerCalls[Name]["ask"];
  readonly tell: (news: WorkerCalls[Name]["news"]) => void;
  readonly signal: AbortSignal;
}

let opened: OpenedData | undefined;

const handlers: { [Name in CallName]: (call: Call<Name>) => Promise<WorkerCalls[Name]["answer"]> } = {
  engine: ({ ask, tell }) => findEngine(ask.model, tell),
  columns: ({ ask }) => columnsOf(ask.file),
  async open({ ask }) {
    opened = undefined;
    opened = await openChoice(ask.choice);
    return opened.found;
  },
  async prepare({ ask }) {
    const { found } = opened ?? noData();
    checkFits(found.data, ask.data);
    clientHalfNamed(ask.algorithm);
    await trainerFor(ask);
    return findEngine(ask.model, () => undefined);
  },
  async contribute({ ask, tell, signal }) {
    const { run, kind, question } = ask;
    const { dataset: data } = opened ?? noData();
    const half = clientHalfNamed(run.algorithm);
    const input = { question, data, trainer: await trainerFor(run), signal, onProgress: tell };
    return kind === "train"
      ? (await half.work({ ...input, kept: undefined, random: platformRandom() })).contribution
      : half.evaluate(input);
  },
};

function serve(asker: Asker): void {
  const running = new Map<number, AbortController>();
  asker.addEventListener("message", ({ data: message }) => {
    switch (message.type) {
      case "call": {
        const cancelled = new AbortController();
        running.set(message.id, cancelled);
        void answer(asker, message, cancelled.signal).finally(() => running.delete(message.id));
        break;
      }
      case "cancel":
        running.get(message.id)?.abort(new Error(message.reason));
        break;
      case "channel":
        serve(message.port);
        message.port.start();
        break;
      // The engine listens for these itself.
      case "wasmFiles":
      case "noWasmFiles":
    }
  });
}

async function answer(
  asker: Asker,
  { id, name, ask }: Extract<ToTraining, { type: "call" }>,
  signal: AbortSignal,
): Promise<void> {
  try {
    const handle = handlers[name] as (call: Call<CallName>) => Promise<unknown>;
    const tell = (news: unknown) => asker.postMessage({ type: "news", id, news });
    const value = await handle({ ask, tell, signal });
    const { values } = value as { values?: { buffer?: ArrayBuffer } };
    asker.postMessage({ type: "answer", id, answer: value }, values?.buffer === undefined ? [] : [values.buffer]);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    if (error instanceof ProtocolError) asker.postMessage({ type: "refused", id, code: error.code, detail });
    else asker.postMessage({ type: "failed", id, detail });
  }
}

function noData(): never {
  throw new ProtocolError("bad_data", "No data was chosen.");
}

const page = globalThis as unknown as Asker;
serve(page);
page.postMessage({ type: "ready" });
