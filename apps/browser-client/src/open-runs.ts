import {
  DataSpec,
  isOver,
  ModelSpec,
  Problem,
  ProtocolError,
  parse,
  RoundSummary,
  type RunId,
  RunRecord,
  type RunSpec,
  routes,
} from "@tributary/protocol";
import Type from "typebox";
import type { PageLedger } from "./ledger/ledger.ts";
import { words } from "./words.ts";

/** Where to ask, as whom, and where it is written down that something was asked. */
export interface From {
  readonly coordinator: string;
  readonly token: string | undefined;
  readonly ledger: PageLedger;
}

/** The part of a run's specification that a person should know of. */
const PublicSpec = Type.Object({
  algorithm: Type.Object({
    name: Type.String(),
    epochs: Type.Optional(Type.Integer()),
    batchSize: Type.Optional(Type.Union([Type.Integer(), Type.Literal("all")])),
    init: Type.Optional(Type.Object({ kind: Type.String(), rows: Type.Optional(Type.Integer()) })),
  }),
  model: Type.Optional(ModelSpec),
  data: DataSpec,
  cohort: Type.Object({ minimum: Type.Integer(), tags: Type.Array(Type.String(), { default: [] }) }),
  secureAggregation: Type.Union([Type.Literal("required"), Type.Literal("none")]),
  secure: Type.Object({ minimumSurvivors: Type.Optional(Type.Integer()), rule: Type.Optional(Type.String()) }),
  evaluation: Type.Object({ on: Type.String() }),
  stop: Type.Object({ rounds: Type.Integer() }),
});

/** A run that is open for devices, as it is shown. */
export interface OpenRun {
  readonly run: RunId;
  readonly name: string;
  readonly phase: RunRecord["phase"];
  /** Committed rounds so far, and in all. */
  readonly round: number;
  readonly rounds: number;
  readonly accuracy: number | undefined;
  readonly algorithm: string;
  /** How many rows together seed a cluster, where devices' rows do. */
  readonly sampled: number | undefined;
  readonly model: ModelSpec | undefined;
  readonly data: DataSpec;
  readonly secure: boolean;
  /** Secure against a coordinator that keeps to the rules only, which is less than devices insist on by default. */
  readonly isCurious: boolean;
  /** Fewest devices whose updates make a round. */
  readonly minimum: number;
  /** Fewest devices whose sum may be opened, where that is said; half the cohort and at least three otherwise. */
  readonly minimumSurvivors: number | undefined;
  /** Passes over a device's data in a round. */
  readonly epochs: number;
  /** Whether devices judge each new model on their data. */
  readonly judged: boolean;
  /** Whether it is told how often each new model is right. */
  readonly hasAccuracy: boolean;
  readonly tags: readonly string[];
  /** Examples in one of the algorithm's batches. */
  readonly batchSize: number;
  /** All of the specification, as the coordinator took it. */
  readonly spec: RunSpec;
}

/**
 * The runs that are not over, the newest first. Throws `unauthorized` where the coordinator shows them to devices that it
 * knows only, and `coordinator_unreachable`.
 */
export async function fetchOpenRuns(from: From): Promise<OpenRun[]> {
  const body = await request(from, routes.runs());
  const records = parse(Type.Array(RunRecord), body, { what: "list of runs" });
  return records
    .filter(({ phase }) => !isOver(phase))
    .map(openRun)
    .reverse();
}

/** The rounds of a run whose model was judged, thinned where there are many. Throws as `fetchOpenRuns` does. */
export async function fetchHistory(
  from: From,
  run: RunId,
): Promise<{ readonly round: number; readonly accuracy: number }[]> {
  const body = await request(from, `${routes.history(run)}?points=200`);
  return parse(Type.Array(RoundSummary), body, { what: "rounds" }).flatMap(({ round, evaluation }) => {
    const accuracy = evaluation?.["accuracy"];
    return accuracy === undefined ? [] : [{ round, accuracy }];
  });
}

/** A run, whether open or over. Throws `not_found`, and as `fetchOpenRuns` does. */
export async function fetchRun(from: From, run: RunId): Promise<OpenRun> {
  return openRun(parse(RunRecord, await request(from, routes.run(run)), { what: "run" }));
}

/** The newest version of a run's model. Throws as `fetchRun` does. */
export async function fetchModelVersion(from: From, run: RunId): Promise<number> {
  return parse(RunRecord, await request(from, routes.run(run)), { what: "run" }).modelVersion;
}

/** The bytes of a resource. Throws as `fetchRun` does. */
export async function fetchBytes(from: From, path: string): Promise<ArrayBuffer> {
  return (await answer(from, path)).arrayBuffer();
}

function openRun({ run, name, phase, round, metrics, spec }: RunRecord): OpenRun {
  const publicSpec = parse(PublicSpec, spec, { what: `run ${run}` });
  const { algorithm, model, data, cohort, secureAggregation, secure, evaluation, stop } = publicSpec;
  return {
    ...{ run, name, phase, round, model, data },
    accuracy: metrics["accuracy"],
    algorithm: algorithm.name,
    sampled: algorithm.init?.kind === "sampled" ? algorithm.init.rows : undefined,
    rounds: stop.rounds,
    secure: secureAggregation === "required",
    isCurious: secureAggregation === "required" && secure.rule === "curious",
    minimum: cohort.minimum,
    minimumSurvivors: secure.minimumSurvivors,
    epochs: algorithm.epochs ?? 1,
    judged: evaluation.on === "clients",
    hasAccuracy: evaluation.on !== "nowhere" && data.target === "class",
    tags: cohort.tags,
    batchSize: typeof algorithm.batchSize === "number" ? algorithm.batchSize : 100,
    spec: spec as RunSpec,
  };
}

/** The JSON that a request is answered with. Throws as `answer` does. */
async function request(from: From, path: string): Promise<unknown> {
  const response = await answer(from, path, AbortSignal.timeout(15_000));
  return response.json().catch(() => undefined);
}

/** What answers a request. Throws the coordinator's refusal, or `coordinator_unreachable`. */
async function answer({ coordinator, token, ledger }: From, path: string, signal?: AbortSignal): Promise<Response> {
  const url = `${coordinator}${path}`;
  await ledger.ask(url);
  let response: Response;
  try {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    response = await fetch(url, { headers, ...(signal && { signal }) });
  } catch (cause) {
    throw new ProtocolError("coordinator_unreachable", await whyNot(new URL(url), ledger), { cause });
  }
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => undefined);
  try {
    throw ProtocolError.from(parse(Problem, body, { what: "refusal" }));
  } catch (error) {
    if (error instanceof ProtocolError && error.code !== "bad_request") throw error;
    throw new ProtocolError("coordinator_unreachable", words.runs.nobody(new URL(url).host));
  }
}

/** Whether a coordinator is silent, or may not be read by a page of this origin: browsers tell a page only that it failed. */
async function whyNot({ origin, host }: URL, ledger: PageLedger): Promise<string> {
  if (origin === location.origin) return words.runs.silent(host);
  const health = `${origin}${routes.health()}`;
  await ledger.ask(health);
  let isConfined = false;
  const note = ({ effectiveDirective }: SecurityPolicyViolationEvent) => {
    isConfined ||= effectiveDirective === "connect-src";
  };
  document.addEventListener("securitypolicyviolation", note);
  try {
    // An answer that this page may not read is an answer.
    await fetch(health, { mode: "no-cors", signal: AbortSignal.timeout(5_000) });
    return words.runs.refused(host, location.origin);
  } catch {
    // What forbade it is told of after it failed.
    await new Promise((resolve) => setTimeout(resolve));
    return isConfined ? words.runs.confined(host, location.host) : words.runs.silent(host);
  } finally {
    document.removeEventListener("securitypolicyviolation", note);
  }
}
