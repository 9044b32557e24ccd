import {
  DataSpec,
  isOver,
  ModelSpec,
  Problem,
  ProtocolError,
  parse,
  type RunId,
  RunRecord,
  routes,
} from "@tributary/protocol";
import Type from "typebox";

/** The part of a run's specification that a person should know of. */
const PublicSpec = Type.Object({
  algorithm: Type.Object({ name: Type.String(), epochs: Type.Optional(Type.Integer()) }),
  model: ModelSpec,
  data: DataSpec,
  cohort: Type.Object({ minimum: Type.Integer(), tags: Type.Array(Type.String(), { default: [] }) }),
  secureAggregation: Type.Union([Type.Literal("required"), Type.Literal("none")]),
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
  readonly model: ModelSpec;
  readonly data: DataSpec;
  readonly secure: boolean;
  /** Fewest devices whose updates make a round. */
  readonly minimum: number;
  readonly tags: readonly string[];
}

/**
 * The runs that are not over, the newest first. Throws `unauthorized` where the coordinator shows them to devices that it
 * knows only, and `coordinator_unreachable`.
 */
export async function fetchOpenRuns(coordinator: string, token: string | undefined): Promise<OpenRun[]> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const body = await request(`${coordinator}${routes.runs()}`, { headers });
  const records = parse(Type.Array(RunRecord), body, { what: "list of runs" });
  return records
    .filter(({ phase }) => !isOver(phase))
    .map(openRun)
    .reverse();
}

function openRun({ run, name, phase, round, metrics, spec }: RunRecord): OpenRun {
  const { algorithm, model, data, cohort, secureAggregation, stop } = parse(PublicSpec, spec, { what: `run ${run}` });
  return {
    ...{ run, name, phase, round, model, data },
    accuracy: metrics["accuracy"],
    algorithm: algorithm.name,
    rounds: stop.rounds,
    secure: secureAggregation === "required",
    minimum: cohort.minimum,
    tags: cohort.tags,
  };
}

/** The JSON that a request is answered with. Throws the coordinator's refusal, or `coordinator_unreachable`. */
async function request(url: string, init: { headers: Record<string, string> }): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(15_000) });
  } catch (cause) {
    throw new ProtocolError("coordinator_unreachable", `${new URL(url).host} does not answer`, { cause });
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return body;
  try {
    throw ProtocolError.from(parse(Problem, body, { what: "refusal" }));
  } catch (error) {
    if (error instanceof ProtocolError && error.code !== "bad_request") throw error;
    throw new ProtocolError("internal", `${url} answered with HTTP status ${response.status}`);
  }
}
