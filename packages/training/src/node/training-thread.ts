import { parentPort } from "node:worker_threads";
import type { Dataset, Features, Random, Targets, Trainer, TrainingProgress } from "@tributary/algorithm";
import { createTrainer } from "../trainer.ts";
import { errorOf, failureOf } from "./failure.ts";
import type { DatasetOutline, FromThread, ToThread } from "./thread-messages.ts";

// One thread of a trainer pool: see trainer-pool.ts. Examples and their order come from the thread that has them.

const trainers = new Map<string, Promise<Trainer>>();
const port = parentPort!;
const post = (message: FromThread) => port.postMessage(message);

let stop = new AbortController();
/** What was done since the last message. */
let progress: TrainingProgress | undefined;
let reading: { resolve: () => void; reject: (error: Error) => void } | undefined;

port.on("message", (message: ToThread) => {
  switch (message.type) {
    case "work":
      stop = new AbortController();
      progress = undefined;
      void carryOut(message).then(
        (value) => post({ type: "done", value, progress }),
        (error) => post({ type: "failed", failure: failureOf(error) }),
      );
      break;
    case "filled":
      reading?.resolve();
      break;
    case "unreadable":
      reading?.reject(errorOf(message.failure));
      break;
    case "abort":
      stop.abort(new Error("the work was called off"));
  }
});

async function carryOut({ model, data, engine, work }: Extract<ToThread, { type: "work" }>): Promise<unknown> {
  const key = JSON.stringify([model, data, engine]);
  const trainer = trainers.get(key) ?? createTrainer({ model, data, engine });
  trainers.set(key, trainer);
  trainer.catch(() => trainers.delete(key));
  const { signal } = stop;
  switch (work.kind) {
    case "open":
      return (await trainer).parameters;
    case "gradient":
      return (await trainer).gradient({ weights: work.weights, data: distant(work.data), signal });
    case "evaluate":
      return (await trainer).evaluate({ weights: work.weights, data: distant(work.data), signal });
    case "train": {
      const onProgress = (made: TrainingProgress) => {
        progress = made;
      };
      return (await trainer).train({ ...work, data: distant(work.data), random: ordered, signal, onProgress });
    }
  }
}

/** A dataset whose examples another thread writes into memory that both share. */
function distant(outline: DatasetOutline): Dataset {
  let [features, targets]: [Features?, Targets?] = [];
  return {
    ...outline,
    async batch(positions, intoFeatures, intoTargets) {
      features = shared(features, intoFeatures);
      targets = shared(targets, intoTargets);
      const filled = new Promise<void>((resolve, reject) => {
        reading = { resolve, reject };
      });
      post({ type: "read", positions: positions.slice(), features, targets, progress });
      progress = undefined;
      await filled;
      stop.signal.throwIfAborted();
      intoFeatures.set(features);
      intoTargets.set(targets);
    },
  };
}

/** Shared memory of the kind and length of `like`: `before` if it is, else new. */
function shared<Values extends Features | Targets>(before: Values | undefined, like: Values): Values {
  if (before?.length === like.length && before.constructor === like.constructor) return before;
  const Kind = like.constructor as new (buffer: SharedArrayBuffer) => Values;
  return new Kind(new SharedArrayBuffer(like.byteLength));
}

const elsewhere = () => {
  throw new Error("a training job draws nothing but the order of its examples");
};

/** The other thread's stream: the order of an epoch is drawn there, while this thread sleeps. */
const ordered: Random = {
  permutation(length) {
    const order = new Uint32Array(new SharedArrayBuffer(4 * length));
    const ready = new Int32Array(new SharedArrayBuffer(4));
    post({ type: "order", order, ready });
    Atomics.wait(ready, 0, 0);
    return order;
  },
  uint32: elsewhere,
  uniform: elsewhere,
  below: elsewhere,
  normal: elsewhere,
};
