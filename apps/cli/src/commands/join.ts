import { hostname } from "node:os";
import type { Random } from "@tributary/algorithm";
import { join } from "@tributary/node-client";
import type { ParticipantEvent } from "@tributary/participant";
import type { RunId } from "@tributary/protocol";
import type { ChosenEngine } from "@tributary/training";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type DataFlags, engineFlag, openShards, parseShard, withDataFlags } from "../data-flags.ts";
import { integer, list, memory, publicKey, withCoordinatorFlags } from "../flags.ts";
import { Narrator } from "../narration.ts";
import { isTerminal, print, printJson } from "../output.ts";
import { untilSignalled } from "../signals.ts";

interface Flags extends DataFlags {
  readonly coordinator: string;
  readonly fingerprint?: string;
  readonly joinToken?: string;
  readonly run?: string;
  readonly name: string;
  readonly tag: readonly string[];
  readonly shard: string;
  readonly engine?: string;
  readonly threads: number;
  readonly schedule?: string;
  readonly maxMemory?: number;
  readonly identity?: string;
  readonly coordinatorKey?: string;
  readonly operatorKey?: string;
  readonly ledger?: string;
  readonly minCohort?: number;
  readonly requireSecure?: boolean;
  readonly epochsAtMost?: (random: Random) => number;
  readonly rule?: "strict" | "curious";
  readonly insecure?: boolean;
  readonly json?: boolean;
}

export function addJoinCommand(program: Command): void {
  const command = program
    .command("join")
    .description("Lend this machine to a federation: train on data that stays here, send only updates.");
  withDataFlags(withCoordinatorFlags(command))
    .addOption(new Option("--join-token <token>", "where the coordinator asks for one").env("TRIBUTARY_JOIN_TOKEN"))
    .option(
      "--shard <which>",
      "I/N or I-J/N: the part of the data this process holds; I-J makes it J−I+1 devices",
      "1/1",
    )
    .option("--run <run>", "take part in this run only, and exit when it is over; default: every run the data fits")
    .option("--name <name>", "what the operator sees", hostname())
    .option("--tag <tags>", "tags that runs can ask for, separated by commas", list, [])
    .addOption(engineFlag())
    .option("--threads <n>", "so many of this process's devices train at the same time", integer(1, 256), 1)
    .option("--schedule <hours>", "take part within these hours of each day, local time, such as 22:00-06:00")
    .option(
      "--max-memory <amount>",
      "decline models that need more, and leave when this process comes to hold more, such as 2GB",
      memory,
    )
    .option(
      "--identity <file>",
      "keep this device's key and identity there (mode 0600), so that it is the same after a restart",
    )
    .addOption(
      new Option(
        "--coordinator-key <key>",
        "the key that the coordinator printed; default: the one it proves when this device first enrols",
      )
        .env("TRIBUTARY_COORDINATOR_KEY")
        .argParser(publicKey),
    )
    .addOption(
      new Option("--operator-key <key>", "trust only devices on a roster that this operator's key signed")
        .env("TRIBUTARY_OPERATOR_KEY")
        .argParser(publicKey),
    )
    .option("--ledger <file>", "write down everything that leaves this process there, one JSON object a line")
    .option(
      "--min-cohort <devices>",
      "take part only in sums of at least so many devices, never in a run in the clear",
      integer(1),
    )
    .addOption(
      new Option(
        "--epochs-at-most <n|low-high>",
        "make no more passes over the data in a round, or a number drawn anew for each; fedprox and fednova accept that",
      ).argParser(epochRange),
    )
    .option("--require-secure", "never answer in the clear: leave out runs without secure aggregation")
    .addOption(
      new Option(
        "--rule <rule>",
        "what a sum must withstand: a coordinator that deviates at will, or one that only looks",
      )
        .choices(["strict", "curious"])
        .default("strict"),
    )
    .option("--insecure", "speak plain http to another machine, where anyone on the way can read and change everything")
    .option("--json", "print one JSON object a line")
    .addHelpText(
      "after",
      "\nTRIBUTARY_DEVICE_KEY (32 random bytes in base64) holds the device's key where no file may; --identity FILE\n" +
        "then keeps the rest. Of several devices in one process each gets its own by its name.",
    )
    .action(async (flags: Flags) => {
      const shards = await openShards(flags, parseShard(flags.shard));
      const many = shards.devices.length > 1 || flags.shard !== "1/1";
      const { coordinator, fingerprint, joinToken, run, engine, identity, ledger, insecure } = flags;
      const { coordinatorKey, operatorKey } = flags;
      // Not a flag: what a command line says, every user of the machine can read.
      const deviceKey = process.env["TRIBUTARY_DEVICE_KEY"];
      const narrator = new Narrator({
        write: (text) => process.stdout.write(text),
        terminal: isTerminal(),
        now: () => performance.now(),
      });
      const handle = join({
        coordinator,
        failFast: true,
        tags: flags.tag,
        insecure: insecure ?? false,
        floors: {
          requireSecure: flags.requireSecure ?? false,
          ...(flags.minCohort === undefined ? {} : { minimumSurvivors: flags.minCohort }),
          ...(flags.rule === undefined ? {} : { rule: flags.rule }),
        },
        ...(flags.epochsAtMost === undefined ? {} : { epochsAtMost: flags.epochsAtMost }),
        ...(fingerprint === undefined ? {} : { fingerprint }),
        ...(joinToken === undefined ? {} : { joinToken }),
        ...(run === undefined ? {} : { run: run as RunId }),
        ...(engine === undefined ? {} : { engine }),
        threads: flags.threads,
        ...(flags.schedule === undefined ? {} : { schedule: flags.schedule }),
        ...(flags.maxMemory === undefined ? {} : { maxMemoryBytes: flags.maxMemory }),
        ...(identity === undefined ? {} : { identityFile: identity }),
        ...(deviceKey === undefined ? {} : { deviceKey }),
        ...(coordinatorKey === undefined ? {} : { coordinatorKey }),
        ...(operatorKey === undefined ? {} : { operatorKey }),
        ...(ledger === undefined ? {} : { ledgerFile: ledger }),
        devices: shards.devices.map(({ number, dataset }) => ({
          // Zero-padded, so that the coordinator's order of names is the order of the shards.
          name: many ? `${flags.name}/${String(number).padStart(6, "0")}` : flags.name,
          dataset,
          data: shards.data,
        })),
        onEngine: (chosen) => describeEngine(chosen, flags),
        onEvent: (event, device) =>
          flags.json ? printJson(jsonOf(event, device)) : narrator.tell(event, many ? device : ""),
      });
      if (!flags.json) {
        const count = shards.devices.length === 1 ? "one device" : `${shards.devices.length} devices`;
        print(
          `${shards.describe}: ${count}, ${shards.devices.map(({ dataset }) => dataset.examples).join(", ")} examples`,
        );
        print("Only model updates leave this machine.");
      }
      const ended = handle.done.then(() => "done" as const);
      if ((await Promise.race([ended, untilSignalled()])) !== "done") await handle.leave();
      await ended;
    });
}

function describeEngine({ engine, reason, parity }: ChosenEngine, { json }: Flags): void {
  if (json) printJson({ type: "engine", engine, reason, ...parity });
  else print(`engine ${engine} (${reason}); its step is ${parity?.difference.toExponential(1)} off plain JavaScript's`);
}

/** Passes over the data: so many, or a number between two. */
function epochRange(text: string): (random: Random) => number {
  const [, low, high = low] = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(text) ?? [];
  const [least, most] = [Number(low), Number(high)];
  if (!(least <= most)) throw new InvalidArgumentError("Expected a number of epochs, or LOW-HIGH, such as 3 or 1-20.");
  return (random) => least + random.below(most - least + 1);
}

function jsonOf(event: ParticipantEvent, device: string): object {
  return event.type === "failed" ? { ...event, device, error: event.error.message } : { ...event, device };
}
