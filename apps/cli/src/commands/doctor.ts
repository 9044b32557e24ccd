import { availableParallelism, cpus, totalmem } from "node:os";
import {
  type EngineFinding,
  type EngineName,
  engineNames,
  engineReport,
  type Parity,
  parity,
  type Speed,
  trainingSpeed,
} from "@tributary/training";
import type { Command } from "commander";
import { engineFlag } from "../data-flags.ts";
import { exitCodes, UsageError } from "../exit.ts";
import { rateText } from "../narration.ts";
import { bytesText, print, printJson } from "../output.ts";

interface Flags {
  readonly engine?: string;
  readonly json?: boolean;
}

/** What was found of one engine that is here: its step beside plain JavaScript's, its speed, or how it failed. */
type Examination =
  | { readonly parity: Parity; readonly speed: { readonly "2nn": Speed; readonly cnn: Speed } }
  | { readonly parity: Parity }
  | { readonly failure: string };

const budgetMs = 1000;

export function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("Say which engines run here, how fast, whether they calculate rightly, and what would add the others.")
    .addOption(engineFlag("examine this one only"))
    .option("--json", "print one JSON object a line")
    .addHelpText("after", "\nEnds with 1 where no engine that was examined takes the step that plain JavaScript takes.")
    .action(async (flags: Flags) => {
      const asked = engineNames.find((name) => name === flags.engine);
      if (flags.engine !== undefined && asked === undefined) {
        throw new UsageError(`--engine ${flags.engine}: there are ${engineNames.join(", ")}`);
      }
      describeMachine(flags);
      const passed: EngineFinding[] = [];
      for (const finding of await engineReport()) {
        if (asked !== undefined && finding.engine !== asked) continue;
        const examined = finding.present ? await examine(finding.engine) : undefined;
        if (examined !== undefined && "speed" in examined) passed.push(finding);
        if (flags.json) printJson({ type: "engine", ...finding, ...examined });
        else for (const line of linesFor(finding, examined)) print(line);
      }
      const chosen = passed.find((finding) => finding.present && finding.drawback === undefined) ?? passed[0];
      if (flags.json)
        printJson({ type: "verdict", passed: passed.map(({ engine }) => engine), engine: chosen?.engine });
      else print(verdict(chosen, asked));
      if (chosen === undefined) process.exitCode = exitCodes.failed;
    });
}

function verdict(chosen: EngineFinding | undefined, asked: EngineName | undefined): string {
  if (chosen === undefined)
    return asked === undefined ? "\nNo engine here can be used." : `\n${asked} cannot be used here.`;
  return asked === undefined ? `\nThis machine would train on ${chosen.engine}.` : `\n${asked} can be used here.`;
}

function describeMachine({ json }: Flags): void {
  const [memoryBytes, cores, processor] = [totalmem(), availableParallelism(), cpus()[0]?.model ?? "unknown processor"];
  const { version: node, platform, arch } = process;
  if (json) printJson({ type: "machine", node, platform, arch, processor, cores, memoryBytes });
  else
    print(`Node ${node} on ${platform} ${arch}, ${processor}, ${cores} cores, ${bytesText(memoryBytes)} of memory\n`);
}

/** Speed is not measured of an engine whose step is wrong. */
async function examine(engine: EngineName): Promise<Examination> {
  try {
    const proof = await parity(engine);
    if (!proof.agrees) return { parity: proof };
    const [small, large] = [
      await trainingSpeed(engine, { preset: "2nn", budgetMs }),
      await trainingSpeed(engine, { preset: "cnn", budgetMs }),
    ];
    return { parity: proof, speed: { "2nn": small, cnn: large } };
  } catch (error) {
    // A driver may fail at any time and in any way: what it says is what there is to know.
    return { failure: (error as Error).message };
  }
}

function linesFor(finding: EngineFinding, examined: Examination | undefined): string[] {
  const { engine, what } = finding;
  if (!finding.present) {
    const { why, command, needs } = finding;
    return [
      `– ${engine} (${what}) is not here: ${why}`,
      ...(command === undefined ? [] : [`    to add it: ${command}`]),
      ...(needs === undefined ? [] : [`    it needs: ${needs}`]),
    ];
  }
  const drawback = finding.drawback === undefined ? [] : [`    chosen only by --engine ${engine}: ${finding.drawback}`];
  if (examined === undefined || "failure" in examined) {
    return [`✗ ${engine} (${what}) failed: ${examined?.failure}`, ...drawback];
  }
  const { difference, tolerance, layers, agrees } = examined.parity;
  const distance = `${difference.toExponential(1)} of its length from plain JavaScript's (at most ${tolerance})`;
  if (!("speed" in examined))
    return [`✗ ${engine} (${what}) calculates wrongly: a step of ${layers.join(", ")} is ${distance}`];
  const speeds = Object.entries(examined.speed).map(([preset, speed]) => `${preset} ${speedText(speed)}`);
  const step = agrees && layers.length === 0 ? "the reference itself" : `its step is ${distance}`;
  return [`✓ ${engine} (${what}): ${speeds.join(", ")}; ${step}`, ...drawback];
}

function speedText({ examplesPerSecond, batchSize }: Speed): string {
  return `${rateText(examplesPerSecond)} examples/s in batches of ${batchSize}`;
}
