import { readFile } from "node:fs/promises";
import { isOver, ProtocolError, type RunRecord, routes } from "@tributary/protocol";
import type { Command } from "commander";
import { exitCodes, UsageError } from "../exit.ts";
import { openRest, type RemoteFlags, withRemoteFlags } from "../flags.ts";
import { metricsText, notSecure, print, printJson, printTable } from "../output.ts";
import { roundLine } from "../round-line.ts";
import { roundsAfter, watchRun } from "../watch.ts";

type Flags = RemoteFlags & { readonly json?: boolean };

export function addRunsCommand(program: Command): void {
  const runs = program.command("runs").description("Create, steer and watch runs.");

  withRemoteFlags(runs.command("create <spec.json>"))
    .description("Create a run from a RunSpec file (- for standard input) and start it.")
    .option("--no-start", "only create it")
    .option("--json", "print the run as JSON")
    .action(async (file: string, flags: Flags & { start: boolean }) => {
      const rest = await openRest(flags);
      const created = await rest.post<RunRecord>(routes.runs(), await readSpec(file));
      const run = flags.start ? await rest.post<RunRecord>(routes.runAction("start", created.run)) : created;
      if (flags.json) printJson(run);
      else printRun(run);
    });

  withRemoteFlags(runs.command("list"))
    .description("Every run, oldest first.")
    .option("--json", "print one JSON object a line")
    .action(async (flags: Flags) => {
      const records = await (await openRest(flags)).get<RunRecord[]>(routes.runs());
      if (flags.json) for (const record of records) printJson(record);
      else {
        printTable(
          ["RUN", "NAME", "PHASE", "ROUND", "FIGURES", "PROTECTION", ""],
          records.map(({ run, name, phase, round, metrics, protection, reason }) => {
            return [run, name, phase, `${round}`, metricsText(metrics), protection ?? "", reason ?? ""];
          }),
        );
      }
    });

  withRemoteFlags(runs.command("show <run>"))
    .description("One run and its committed rounds.")
    .option("--json", "print the run, then its rounds, one JSON object a line")
    .action(async (run: string, flags: Flags) => {
      const rest = await openRest(flags);
      const record = await rest.get<RunRecord>(routes.run(run));
      if (flags.json) printJson(record);
      else printRun(record);
      for await (const round of roundsAfter(rest, run, 0)) {
        if (flags.json) printJson(round);
        else print(roundLine(round));
      }
    });

  withRemoteFlags(runs.command("watch <run>"))
    .description("A line per round until the run is over; exit code 1 if it failed.")
    .option("--json", "print one JSON object a line")
    .action(async (run: string, flags: Flags) => {
      const rest = await openRest(flags);
      if (!flags.json) printRun(await rest.get<RunRecord>(routes.run(run)));
      for await (const news of watchRun(rest, run)) {
        if (flags.json) printJson(news);
        else if (news.type === "round") print(roundLine(news.round));
        else print(`${news.run.phase}${news.run.reason === undefined ? "" : `: ${news.run.reason}`}`);
        if (news.type === "run" && isOver(news.run.phase) && news.run.phase === "failed")
          process.exitCode = exitCodes.failed;
      }
    });

  for (const action of ["start", "pause", "resume", "stop"] as const) {
    withRemoteFlags(runs.command(`${action} <run>`))
      .description(`Make a run ${action}.`)
      .option("--json", "print the run as JSON")
      .action(async (run: string, flags: Flags) => {
        const record = await (await openRest(flags)).post<RunRecord>(routes.runAction(action, run));
        if (flags.json) printJson(record);
        else print(`${record.run}  ${record.phase}`);
      });
  }
}

/** A run in a line, and in another one, where that is so, that it hides nothing. */
function printRun({ run, name, phase, reason, protection }: RunRecord): void {
  print(`${run}  ${name}  ${phase}${reason === undefined ? "" : `: ${reason}`}`);
  if (protection === "not secure") print(notSecure);
}

async function readSpec(file: string): Promise<unknown> {
  const text =
    file === "-"
      ? await readAll(process.stdin)
      : await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
          throw new UsageError(`cannot read the specification ${file}: ${error.message}`);
        });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ProtocolError("bad_spec", `${file} is not JSON: ${(error as Error).message}`);
  }
}

async function readAll(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: string[] = [];
  for await (const chunk of stream) chunks.push(chunk.toString());
  return chunks.join("");
}
