import type { Trainer } from "@tributary/algorithm";
import { clientHalfNamed, trafficOfRound } from "@tributary/catalog";
import { platformRandom } from "@tributary/participant";
import { ProtocolError } from "@tributary/protocol";
import { continueText, fitData, parameterCount } from "@tributary/training";
import { words } from "../words.ts";
import { drawSample } from "./draw-sample.ts";
import { avoidEngines, findEngine, measureSpeed, predictorFor, trainerFor } from "./engine.ts";
import { featuresOf } from "./example-features.ts";
import { forgetKept, keepChoice, keptChoice } from "./kept-data.ts";
import type { CallName, FromTraining, RunWork, ToTraining, WorkerCalls } from "./messages.ts";
import { columnsOf, type OpenedData, openChoice } from "./open-choice.ts";
import { Pacer } from "./pace.ts";
import { drawThumbnails } from "./thumbnails.ts";

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

const page = globalThis as unknown as Asker;

const pacer = new Pacer({
  now: () => performance.now(),
  setTimeout(callback, ms) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
});

/** The data that was read last, and its number. */
let opened: (OpenedData & { readonly set: number }) | undefined;

const handlers: { [Name in CallName]: (call: Call<Name>) => Promise<WorkerCalls[Name]["answer"]> } = {
  alive: async () => undefined,
  engine: ({ ask, tell }) => findEngine(ask.model, tell),
  async size({ ask: { spec } }) {
    const parameters = spec.model && parameterCount(spec.model, spec.data);
    return { parameters, ...trafficOfRound(spec, parameters ?? 0) };
  },
  async predict({ ask: { model, data, weights, example } }) {
    const features = await featuresOf(example, data);
    return (await predictorFor(model, data)).predict(weights, features);
  },
  async write({ ask: { model, data, weights, beginning, characters }, tell, signal }) {
    const predictor = await predictorFor(model, data);
    const predict = (features: Float32Array) => predictor.predict(weights, features);
    const random = platformRandom();
    let written = "";
    for await (const character of continueText({ data, predict, beginning, characters, temperature: 0.7, random })) {
      signal.throwIfAborted();
      written += character;
      tell(written);
    }
    return written;
  },
  speed: ({ ask }) => measureSpeed(ask),
  columns: ({ ask: { file, header }, signal }) => columnsOf(file, { header, signal }),
  async open({ ask: { set, choice }, tell, signal }) {
    opened = undefined;
    const read = await openChoice(choice, { tell, signal });
    // Something else was chosen meanwhile, and may have been read already.
    signal.throwIfAborted();
    opened = { ...read, set };
    return read.found;
  },
  async forget() {
    opened = undefined;
    return undefined;
  },
  async draw({ ask }) {
    if (opened?.sample !== undefined) drawSample(ask.canvas, opened.sample, ask.ink);
    else if (opened !== undefined) await drawThumbnails(ask.canvas, opened);
    return undefined;
  },
  async keep({ ask }) {
    await (ask.kept === undefined ? forgetKept() : keepChoice(ask.kept));
    return undefined;
  },
  kept: () => keptChoice(),
  async prepare({ ask }) {
    const { dataset, found } = agreed(ask);
    fitData({ dataset, data: found.data }, ask.data);
    clientHalfNamed(ask.algorithm);
    await trainerFor(ask);
    return findEngine(ask.model);
  },
  async contribute({ ask, tell, signal }) {
    const { run, question } = ask;
    const { dataset, found } = agreed(run);
    const data = pacer.paced(fitData({ dataset, data: found.data }, run.data), signal);
    const half = clientHalfNamed(run.algorithm);
    const input = { question, data, trainer: await trainerFor(run), signal, onProgress: tell };
    if (ask.kind === "evaluate") {
      const contribution = await half.evaluate({ ...input, trainer: overheard(input.trainer) });
      return { contribution, next: undefined };
    }
    const { kept, lost } = ask;
    return half.work({ ...input, kept, lost, random: platformRandom() });
  },
};

/** A trainer that tells the page how well a model does here, before that goes into a sum. */
function overheard(trainer: Trainer): Trainer {
  return {
    ...trainer,
    async evaluate(input) {
      const judgement = await trainer.evaluate(input);
      const { correct, examples } = judgement;
      if (Number.isFinite(correct)) page.postMessage({ type: "judged", accuracy: correct / examples });
      return judgement;
    },
  };
}

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
      case "pace":
        pacer.set(message.pace);
        break;
      case "stuck":
        avoidEngines(message.engines);
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
    const { contribution } = (value ?? {}) as { contribution?: { values: { buffer: ArrayBuffer } } };
    const transfer = contribution === undefined ? [] : [contribution.values.buffer];
    asker.postMessage({ type: "answer", id, answer: value }, transfer);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    if (error instanceof ProtocolError) asker.postMessage({ type: "refused", id, code: error.code, detail });
    else asker.postMessage({ type: "failed", id, detail });
  }
}

/** The data that the person agreed to give to this work. */
function agreed({ set }: RunWork): OpenedData {
  if (opened?.set === set) return opened;
  throw new ProtocolError("bad_data", words.files.noData);
}

serve(page);
page.postMessage({ type: "ready" });
