import Type, { type Static } from "typebox";

const strict = { additionalProperties: false } as const;
const learningRate = { exclusiveMinimum: 0, maximum: 1000 } as const;
const decay = (fallback: number) => Type.Number({ minimum: 0, exclusiveMaximum: 1, default: fallback });

/** η (Reddi et al. 2021's advice for τ: 1e-3), β₁ and τ; v starts at `initialAccumulator`, by default τ². */
const adaptive = (beta1: number) => ({
  learningRate: Type.Number(learningRate),
  beta1: decay(beta1),
  tau: Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 1e-3 }),
  initialAccumulator: Type.Optional(Type.Number({ minimum: 0, maximum: 1e6 })),
});

/**
 * What the server does with the cohort's mean update Δ: Reddi et al. 2021, algorithm 2. `sgd` with learning rate 1 and
 * momentum 0 is plain averaging; with momentum it is FedAvgM (Hsu et al. 2019).
 */
export const ServerOptimizer = Type.Union([
  Type.Object(
    {
      optimizer: Type.Literal("sgd", { default: "sgd" }),
      learningRate: Type.Number({ ...learningRate, default: 1 }),
      momentum: decay(0),
    },
    strict,
  ),
  Type.Object({ optimizer: Type.Literal("adam"), ...adaptive(0.9), beta2: decay(0.99) }, strict),
  Type.Object({ optimizer: Type.Literal("yogi"), ...adaptive(0.9), beta2: decay(0.99) }, strict),
  Type.Object({ optimizer: Type.Literal("adagrad"), ...adaptive(0) }, strict),
]);
export type ServerOptimizer = Static<typeof ServerOptimizer>;
type Adaptive = Extract<ServerOptimizer, { tau: number }>;

/** A model and its optimizer's moments (m and v); those that the optimizer does not need are empty. */
export interface Optimized {
  readonly model: Float32Array;
  readonly momentum: Float64Array;
  readonly secondMoment: Float64Array;
}

/** A model that has made no step yet. The model is kept, not copied. */
export function startModel(model: Float32Array, optimizer: ServerOptimizer): Optimized {
  const { length } = model;
  const none = new Float64Array(0);
  if ("tau" in optimizer) {
    const { tau, initialAccumulator = tau * tau } = optimizer;
    return {
      model,
      momentum: new Float64Array(length),
      secondMoment: new Float64Array(length).fill(initialAccumulator),
    };
  }
  return { model, momentum: optimizer.momentum === 0 ? none : new Float64Array(length), secondMoment: none };
}

/** Steps a model along the cohort's mean update. New arrays; the arguments are not changed. */
export function stepModel(state: Optimized, update: Float64Array, optimizer: ServerOptimizer): Optimized {
  return "tau" in optimizer ? stepAdaptively(state, update, optimizer) : stepPlainly(state, update, optimizer);
}

/** m ← βm + Δ; w ← w + ηm. */
function stepPlainly(
  { model: from, momentum: before, secondMoment }: Optimized,
  update: Float64Array,
  { learningRate, momentum: beta }: Exclude<ServerOptimizer, Adaptive>,
): Optimized {
  // Plain loops here and below: on millions of weights `map` takes ten times as long, on the coordinator's event loop.
  const momentum = beta === 0 ? before : new Float64Array(from.length);
  if (beta !== 0) for (let i = 0; i < momentum.length; i++) momentum[i] = beta * before[i]! + update[i]!;
  const direction = beta === 0 ? update : momentum;
  const model = new Float32Array(from.length);
  for (let i = 0; i < model.length; i++) model[i] = from[i]! + learningRate * direction[i]!;
  return { model, momentum, secondMoment };
}

/** m ← β₁m + (1 − β₁)Δ; v by the optimizer's rule; w ← w + ηm / (√v + τ). Without bias correction, as in the paper. */
function stepAdaptively({ model: from, ...before }: Optimized, update: Float64Array, options: Adaptive): Optimized {
  const { learningRate, beta1, tau } = options;
  const [momentum, secondMoment] = [new Float64Array(from.length), new Float64Array(from.length)];
  const model = new Float32Array(from.length);
  for (let i = 0; i < model.length; i++) {
    const delta = update[i]!;
    momentum[i] = beta1 * before.momentum[i]! + (1 - beta1) * delta;
    secondMoment[i] = nextSecondMoment(before.secondMoment[i]!, delta * delta, options);
    model[i] = from[i]! + (learningRate * momentum[i]!) / (Math.sqrt(secondMoment[i]!) + tau);
  }
  return { model, momentum, secondMoment };
}

function nextSecondMoment(v: number, square: number, options: Adaptive): number {
  switch (options.optimizer) {
    case "adam":
      return options.beta2 * v + (1 - options.beta2) * square;
    case "yogi":
      return v - (1 - options.beta2) * square * Math.sign(v - square);
    case "adagrad":
      return v + square;
  }
}
