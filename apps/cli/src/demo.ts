import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type RoundRecord, type RunRecord, routes, wallSecondsOf } from "@tributary/protocol";
import { openData, sourceQuery } from "@tributary/training/node";
import { type Child, startChild } from "./child.ts";
import { type DataFlags, dataArguments, openOptions, sourceOptions } from "./data-flags.ts";
import { UsageError } from "./exit.ts";
import { parseModel } from "./model-flags.ts";
import { bar, bytesText, isTerminal, notSecure, print, printJson } from "./output.ts";
import { Rest } from "./rest.ts";
import { bytesPerClient, roundLine } from "./round-line.ts";
import { untilSignalled } from "./signals.ts";
import { watchRun } from "./watch.ts";

export interface DemoFlags extends DataFlags {
  readonly clients: number;
  readonly rounds: number;
  readonly model: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly evaluationData?: string;
  readonly port: number;
  readonly plain?: boolean;
  readonly once?: boolean;
  readonly json?: boolean;
}

/** Examples that all devices' shards of generated digits add up to. */
export const demoExamples = 6_000;

/**
 * The main job, as a newcomer sees it: a coordinator and the devices as processes of their own, the rounds as they come,
 * and at the end what one device would have reached alone. Everything it starts, it ends.
 */
export async function runDemo(given: DemoFlags): Promise<void> {
  const { flags, held } = splitOff(given);
  if (flags.clients < 3 && !flags.plain) {
    throw new UsageError(`--clients ${flags.clients}: secure aggregation needs at least 3; take 3, or say --plain`);
  }
  const model = parseModel(flags.model);
  const { data } = await openData({ ...openOptions(flags), ...(flags.data === "digits" ? { examples: 10 } : {}) });
  const folder = await mkdtemp(join(tmpdir(), "tributary-demo-"));
  const children: Child[] = [];
  const interrupted = untilSignalled().then(() => "interrupted" as const);
  try {
    const work = federate({ flags, held, model, data, folder, children });
    const outcome = await Promise.race([work, interrupted]);
    if (outcome !== "interrupted" && isTerminal() && !flags.once && !flags.json) {
      print(`\nThe coordinator stays up: ${outcome}  (Ctrl-C ends it)`);
      await interrupted;
    }
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the demo trains. */
export interface DemoChoices {
  readonly flags: Pick<
    DemoFlags,
    "data" | "examples" | "model" | "epochs" | "batchSize" | "learningRate" | "clients" | "rounds" | "plain" | "seed"
  >;
  readonly model: ReturnType<typeof parseModel>;
  readonly data: Awaited<ReturnType<typeof openData>>["data"];
}

interface Stage extends DemoChoices {
  readonly flags: DemoFlags;
  readonly held: string;
  readonly folder: string;
  readonly children: Child[];
}

/** Coordinator, run, devices, rounds, summary. Gives the REST address. */
async function federate(stage: Stage): Promise<string> {
  const { flags, held, children, folder } = stage;
  const say = flags.json ? () => {} : print;
  const coordinator = startChild([
    "coordinator",
    ...["--json", "--log-level", "warn", "--data-folder", folder, "--port", `${flags.port}`],
    ...["--evaluation-data", held],
  ]);
  children.push(coordinator);
  const { url } = (await coordinator.line("listening")) as { url?: string };
  const rest = await Rest.open({ url: url! });
  const run = await rest.post<RunRecord>(routes.runs(), demoSpec(stage));
  say(`coordinator  ${url}`);
  say(`dashboard    ${url}/#/runs/${run.run}`);
  say(`join page    ${url}/join/`);
  say(`REST API     ${url}${routes.run(run.run)}`);
  if (flags.json)
    printJson({ type: "started", url, run: run.run, dashboard: `${url}/#/runs/${run.run}`, join: `${url}/join/` });

  for (let device = 1; device <= flags.clients; device++) children.push(startDevice(flags, url!, run.run, device));
  if (flags.plain) say(notSecure);
  say(`devices      ${flags.clients} processes, each with its own shard of ${flags.data} (${flags.partition})\n`);
  await rest.post(routes.runAction("start", run.run));
  const rounds = await follow(rest, run.run, flags, Promise.race(children.map(({ failed }) => failed)));

  say("\nFor comparison, each device now trains alone, with as many local epochs:");
  const alone = await trainAlone(flags, held);
  summarise({ flags, rounds, alone, spec: run.spec as { secureAggregation: string } });
  return url!;
}

/** The specification of the demo's run. */
export function demoSpec({ flags, model, data }: DemoChoices): unknown {
  const { epochs, batchSize, learningRate, clients, rounds, seed } = flags;
  return {
    name: `demo: ${flags.model} on ${flags.data}`,
    algorithm: { name: "fedavg", epochs, batchSize, learningRate },
    model,
    data,
    cohort: { size: clients, minimum: Math.max(flags.plain ? 1 : 3, Math.ceil(clients / 2)), overSelect: 1 },
    // Every example counts, up to twice what a device of the demo holds on average.
    secure: { weightCap: Math.ceil((2 * (flags.examples ?? demoExamples)) / clients) },
    secureAggregation: flags.plain ? "none" : "required",
    evaluation: { on: "coordinator" },
    stop: { rounds },
    seed,
  };
}

/** The flags that describe the data, with the demo's own number of digits. */
function demoData(flags: DemoFlags): string[] {
  const examples = flags.examples ?? (flags.data === "digits" ? demoExamples : undefined);
  return dataArguments(examples === undefined ? flags : { ...flags, examples });
}

function startDevice(flags: DemoFlags, url: string, run: string, device: number): Child {
  const shard = `${device}/${flags.clients}`;
  return startChild([
    "join",
    ...["--json", "--coordinator", url, "--run", run, "--name", "demo", "--shard", shard],
    ...demoData(flags),
  ]);
}

/** Shows the rounds as they are committed and gives them all. */
async function follow(rest: Rest, run: string, flags: DemoFlags, failed: Promise<never>): Promise<RoundRecord[]> {
  const rounds: RoundRecord[] = [];
  const watch = (async () => {
    for await (const news of watchRun(rest, run)) {
      if (news.type === "round") {
        rounds.push(news.round);
        if (flags.json) printJson(roundJson(news.round));
        else print(`${bar(news.round.round / flags.rounds)} ${roundLine(news.round)}`);
      } else if (news.run.phase === "failed") throw new Error(`the run failed: ${news.run.reason}`);
      else if (!flags.json && news.run.reason !== undefined) print(`${news.run.phase}: ${news.run.reason}`);
    }
  })();
  await Promise.race([watch, failed]);
  return rounds;
}

function roundJson(round: RoundRecord): object {
  const { up, down } = bytesPerClient(round);
  return {
    type: "round",
    round: round.round,
    survivors: round.survivors.length,
    asked: round.cohort.length,
    loss: round.evaluation?.["loss"],
    accuracy: round.evaluation?.["accuracy"],
    bytesUpPerClient: up,
    bytesDownPerClient: down,
    seconds: wallSecondsOf(round),
    trainingSeconds: round.seconds.collecting,
  };
}

/** What each device reaches on the same held-out set by training on its shard alone; as many processes as cores. */
async function trainAlone(flags: DemoFlags, held: string): Promise<number[]> {
  const accuracies: number[] = [];
  const left = Array.from({ length: flags.clients }, (_, i) => i + 1);
  const worker = async () => {
    for (let device = left.shift(); device !== undefined; device = left.shift()) {
      const child = startChild([
        "train",
        ...["--json", "--shard", `${device}/${flags.clients}`, "--model", flags.model],
        ...["--epochs", `${flags.epochs * flags.rounds}`, "--batch-size", `${flags.batchSize}`],
        ...["--learning-rate", `${flags.learningRate}`, "--evaluation-data", held],
        ...demoData(flags),
      ]);
      const { accuracy } = (await child.line("trained")) as { accuracy?: number };
      accuracies.push(accuracy!);
      if (flags.json) printJson({ type: "alone", device, accuracy });
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), flags.clients) }, worker));
  return accuracies;
}

function summarise(result: {
  flags: DemoFlags;
  rounds: readonly RoundRecord[];
  alone: readonly number[];
  spec: { secureAggregation: string };
}): void {
  const { flags, rounds, alone, spec } = result;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const summary = {
    type: "summary",
    rounds: rounds.length,
    accuracy: rounds.at(-1)?.evaluation?.["accuracy"],
    aloneAccuracy: mean(alone),
    bytesUpPerClientPerRound: mean(rounds.map((round) => bytesPerClient(round).up)),
    bytesDownPerClientPerRound: mean(rounds.map((round) => bytesPerClient(round).down)),
    secondsPerRound: mean(rounds.map(wallSecondsOf)),
    secureAggregation: spec.secureAggregation,
    seed: flags.seed,
  };
  if (flags.json) {
    printJson(summary);
    return;
  }
  const percent = (share: number | undefined) => (share === undefined ? "–" : `${(100 * share).toFixed(1)} %`);
  print(`\nTogether, after ${summary.rounds} rounds: ${percent(summary.accuracy)} of the held-out examples right.`);
  print(`Alone, on its own shard:       ${percent(summary.aloneAccuracy)} on average over the devices.`);
  print(
    `A round took ${summary.secondsPerRound.toFixed(1)} s and ${bytesText(summary.bytesUpPerClientPerRound)} up, ` +
      `${bytesText(summary.bytesDownPerClientPerRound)} down for each device; no example left its process.`,
  );
  if (summary.secureAggregation === "none") print(notSecure);
}

/** The flags, their data without what is held out, and the source of what is. A table's fifth rows are held out. */
function splitOff(flags: DemoFlags): { flags: DemoFlags; held: string } {
  const { data, evaluationData, schema } = flags;
  if (evaluationData !== undefined) return { flags, held: evaluationData };
  if (data === "digits") return { flags, held: "digits-test" };
  if (data.startsWith("mnist:")) return { flags, held: data.replace("mnist:", "mnist-test:") };
  if (/^(csv|libsvm|text|ratings):/.test(data) && schema === undefined && !/#(train|test)$/.test(data)) {
    const query = data.includes("?") ? "" : sourceQuery(sourceOptions(flags));
    return { flags: { ...flags, data: `${data}#train` }, held: `${data}${query}#test` };
  }
  throw new UsageError(`--data ${data}: name a held-out set for it with --evaluation-data`);
}
