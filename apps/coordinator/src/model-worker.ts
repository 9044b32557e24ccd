import { type Dataset, metricsOf, noTrainer, type Trainer } from "@tributary/algorithm";
import { algorithmNamed } from "@tributary/catalog";
import type { Metrics } from "@tributary/protocol";
import { Fold } from "@tributary/round";
import {
  chooseEngine,
  createTrainer,
  fitData,
  initialWeights,
  parameterCount,
  topologyOf,
  weightShapes,
} from "@tributary/training";
import { openData } from "@tributary/training/node";
import type { ModelDescription, ModelRequest } from "./models.ts";
import { serveCalls } from "./worker-calls.ts";

// The coordinator's model worker: see models.ts.

const sets = new Map<string, ReturnType<typeof openData>>();
const trainers = new Map<string, Promise<Trainer>>();

async function answer(request: ModelRequest): Promise<unknown> {
  switch (request.type) {
    case "initialise":
      return initialWeights(request);
    case "count":
      return parameterCount(request.model, request.data);
    case "describe": {
      const { model, data } = request;
      return { topology: topologyOf(model, data), weights: weightShapes(model, data) } satisfies ModelDescription;
    }
    case "check": {
      fitData(await open(request.source), request.data);
      return undefined;
    }
    case "evaluate":
      return evaluate(request, fitData(await open(request.source), request.data));
    case "judge":
      return judge(request, fitData(await open(request.source), request.spec.data));
  }
}

async function evaluate(request: Extract<ModelRequest, { type: "evaluate" }>, data: Dataset): Promise<Metrics> {
  const trainer = await trainerFor(request);
  const { weights } = request;
  return metricsOf(await trainer.evaluate({ weights, data, signal: never }), request.data.target);
}

async function judge({ spec, question }: Extract<ModelRequest, { type: "judge" }>, data: Dataset): Promise<Metrics> {
  const { client, server, evaluationLanes } = algorithmNamed(spec.algorithm.name);
  const fold = new Fold(evaluationLanes(spec));
  fold.add(await client.evaluate({ question, data, trainer: noTrainer, signal: never }));
  return server.judge(fold.total(), spec);
}

/** Reads an evaluation set once. */
function open(source: string): ReturnType<typeof openData> {
  const opened = sets.get(source) ?? openData({ source });
  sets.set(source, opened);
  return opened;
}

function trainerFor({
  model,
  data,
}: {
  model: Parameters<typeof createTrainer>[0]["model"];
  data: Parameters<typeof createTrainer>[0]["data"];
}): Promise<Trainer> {
  const { weights: _, ...architecture } = model;
  const key = JSON.stringify([architecture, data]);
  const trainer =
    trainers.get(key) ?? chooseEngine({ model }).then(({ engine }) => createTrainer({ model, data, engine }));
  trainers.set(key, trainer);
  return trainer;
}

const never = new AbortController().signal;

serveCalls(answer);
