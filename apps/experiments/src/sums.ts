import * as nodeCryptoModule from "node:crypto";
import { parseRunSpec } from "@tributary/catalog";
import { type Metrics, ProtocolError, type RunSpec } from "@tributary/protocol";
import { nodeCrypto } from "@tributary/secure-agg";
import { simulate } from "@tributary/simulation";
import { partition, subset } from "@tributary/training";
import { type OpenDataOptions, openData } from "@tributary/training/node";
import type { Setting } from "./experiment.ts";
import { federate } from "./federation.ts";

/** One file, or part of one, dealt to devices. */
interface Dealt {
  readonly source: OpenDataOptions & { readonly schema?: Exclude<OpenDataOptions["schema"], string> };
  readonly partition: string;
  readonly clients: number;
}

/** A run of an algorithm with a model of its own. `deals`: one file for all devices, or files for some each. */
export interface SumRun {
  readonly spec: Record<string, unknown>;
  readonly deals: readonly Dealt[];
}

/** What came of it: every round's figures, and the vector that was learnt. */
export interface SumResult {
  readonly rounds: readonly Metrics[];
  readonly bytesUp: number;
  readonly model: Float64Array;
  readonly reason: string;
}

/** At most so many devices share a process. */
const devicesEach = 150;

/** Runs it to its end: through a coordinator and device processes, or in this process. Throws for a run that failed. */
export async function runSums({ spec, deals }: SumRun, setting: Setting): Promise<SumResult> {
  const whole = { ...spec, seed: setting.seed };
  return setting.inProcess ? simulated(parseRunSpec(whole), deals, setting) : throughProcesses(whole, deals, setting);
}

async function throughProcesses(spec: unknown, deals: readonly Dealt[], { seed, say }: Setting): Promise<SumResult> {
  const joins = deals.flatMap(({ source, partition: how, clients }, deal) => {
    const processes = Math.max(Math.min(2, clients), Math.ceil(clients / devicesEach));
    const edge = (i: number) => Math.floor((i * clients) / processes);
    return Array.from({ length: processes }, (_, i) => [
      ...["--data", source.source, ...flagsOf(source.schema ?? {}), "--partition", how, "--seed", `${seed}`],
      ...["--shard", `${edge(i) + 1}-${edge(i + 1)}/${clients}`, "--name", `deal-${deal}`],
    ]);
  });
  const result = await federate({
    spec,
    joins,
    onRound: ({ round, metrics }) => say(`round ${round}: ${JSON.stringify(metrics)}`),
  });
  const { phase, reason = phase } = result.run;
  if (phase !== "finished") throw new ProtocolError("wrong_state", `the run is ${phase}: ${reason}`);
  return {
    rounds: result.rounds.map(({ metrics }) => metrics),
    bytesUp: result.rounds.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
    model: new Float64Array(result.weights.slice().buffer),
    reason,
  };
}

async function simulated(spec: RunSpec, deals: readonly Dealt[], { seed, say }: Setting): Promise<SumResult> {
  const devices = [];
  for (const { source, partition: how, clients } of deals) {
    const { dataset, labels, groups } = await openData(source);
    const parts = partition(how, labels ?? dataset.examples, { clients, random: seed, groups });
    devices.push(...parts.map((rows) => subset(dataset, rows)));
  }
  const rounds: Metrics[] = [];
  const result = await simulate({
    spec,
    devices,
    crypto: (randomBytes) => nodeCrypto(nodeCryptoModule, { randomBytes }),
    onRound: ({ round, metrics }) => {
      rounds.push(metrics);
      say(`round ${round}: ${JSON.stringify(metrics)}`);
    },
  });
  if (result.outcome !== "finished")
    throw new ProtocolError("wrong_state", `the run ${result.outcome}: ${result.reason}`);
  return { rounds, bytesUp: result.bytesUp, model: result.model as Float64Array, reason: result.reason };
}

/** A schema as the command line's flags say it. */
function flagsOf(schema: object): string[] {
  return Object.entries(schema).flatMap(([name, value]) => {
    if (name === "header") return value === false ? ["--no-header"] : [];
    return [`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, String(value)];
  });
}
