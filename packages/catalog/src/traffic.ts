import { type Algorithm, type Lane, lanesLength } from "@tributary/algorithm";
import { type AttemptKind, frameBytes, type RunSpec } from "@tributary/protocol";
import { downloadBytes, planSessions, uploadBytes } from "@tributary/secure-agg";
import { anySession, cohortOf } from "./secure.ts";

/** The traffic of one device in one round, in bytes; of the largest round, where rounds differ. */
export interface RoundTraffic {
  /** All answers, that to the judgement of the new model among them: exact for a round in which nothing is sent twice. */
  readonly up: number;
  /** The vectors that are fetched, and about what the questions take. */
  readonly down: number;
  /** How many devices the round is taken to have, which counts where it is secure. */
  readonly clients: number;
}

/** A question without its settings and its message. */
const questionBytes = 700;

/** The traffic of a run, for a model of `parameters` weights: none where the algorithm has a model of its own. */
export function roundTraffic(spec: RunSpec, algorithm: Algorithm, parameters: number): RoundTraffic {
  const { lanes, laterLanes, evaluationLanes } = algorithm;
  const training = [lanes(spec, parameters), ...(laterLanes === undefined ? [] : [laterLanes(spec)])].map((of) =>
    attempt(spec, algorithm, { kind: "train", lanes: of }),
  );
  const { settings } = questionOf(spec, algorithm, 1);
  const judged = spec.evaluation.on === "clients";
  const judgement = judged ? attempt(spec, algorithm, { kind: "evaluate", lanes: evaluationLanes(spec) }) : nothing;
  const vectors = vectorBytes(spec, algorithm, parameters);
  const asking = JSON.stringify(settings).length * (judged ? 2 : 1);
  return {
    up: Math.max(...training.map(({ up }) => up)) + judgement.up,
    down: vectors + asking + Math.max(...training.map(({ down }) => down)) + judgement.down,
    clients: cohortOf(spec),
  };
}

const nothing = { up: 0, down: 0 };

/** What one attempt takes besides vectors and settings. */
function attempt(
  spec: RunSpec,
  { element }: Algorithm,
  { kind, lanes }: { kind: AttemptKind; lanes: readonly Lane[] },
): { readonly up: number; readonly down: number } {
  if (spec.secureAggregation === "none") {
    return { up: frameBytes(element, lanesLength(lanes)), down: questionBytes };
  }
  const sessions = planSessions(spec, cohortOf(spec), { ...anySession, kind, lanes });
  // Messages come in base64, one with each of five questions.
  const down = Math.max(...sessions.map((session) => downloadBytes(session)));
  return {
    up: Math.max(...sessions.map((session) => uploadBytes(session).total)),
    down: 5 * questionBytes + Math.ceil((4 * down) / 3),
  };
}

/**
 * Bytes of a question's vectors, each as long as the model or as long whatever the model is: what two small models take says
 * it of all, without one of a hundred million weights being made for that.
 */
function vectorBytes(spec: RunSpec, algorithm: Algorithm, parameters: number): number {
  const bytesFor = (weights: number) =>
    Object.values(questionOf(spec, algorithm, weights).vectors).reduce((sum, { byteLength }) => sum + byteLength, 0);
  const [one, two] = [bytesFor(1), bytesFor(2)];
  return algorithm.ownModel ? one : one + (parameters - 1) * (two - one);
}

function questionOf(spec: RunSpec, { server }: Algorithm, weights: number) {
  return server.ask(server.init(spec, new Float32Array(weights)), spec);
}
