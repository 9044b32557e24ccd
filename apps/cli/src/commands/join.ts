import { hostname } from "node:os";
import { join } from "@tributary/node-client";
import type { ParticipantEvent } from "@tributary/participant";
import type { RunId } from "@tributary/protocol";
import { type Command, Option } from "commander";
import { type DataFlags, openShards, parseShard, withDataFlags } from "../data-flags.ts";
import { integer, list, publicKey, withCoordinatorFlags } from "../flags.ts";
import { print, printJson } from "../output.ts";
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
  readonly identity?: string;
  readonly coordinatorKey?: string;
  readonly operatorKey?: string;
  readonly ledger?: string;
  readonly minCohort?: number;
  readonly requireSecure?: boolean;
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
    .option("--engine <engine>", "force an engine: wasm, cpu")
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
      "\nTRIBUTARY_DEVICE_KEY (32 random bytes in base64) holds the device's key where no file may; of several devices " +
        "in one\nprocess each gets its own by its name.",
    )
    .action(async (flags: Flags) => {
      const shards = await openShards(flags, parseShard(flags.shard));
      const many = shards.devices.length > 1 || flags.shard !== "1/1";
      const { coordinator, fingerprint, joinToken, run, engine, identity, ledger, insecure } = flags;
      const { coordinatorKey, operatorKey } = flags;
      // Not a flag: what a command line says, every user of the machine can read.
      const deviceKey = process.env["TRIBUTARY_DEVICE_KEY"];
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
        ...(fingerprint === undefined ? {} : { fingerprint }),
        ...(joinToken === undefined ? {} : { joinToken }),
        ...(run === undefined ? {} : { run: run as RunId }),
        ...(engine === undefined ? {} : { engine }),
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
        onEvent: (event, device) =>
          flags.json ? printJson(jsonOf(event, device)) : narrate(event, many ? device : ""),
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

function jsonOf(event: ParticipantEvent, device: string): object {
  return event.type === "failed" ? { ...event, device, error: event.error.message } : { ...event, device };
}

/** Tells a person what happens; the steady run of batches is left out. */
function narrate(event: ParticipantEvent, device: string): void {
  const line = lineFor(event);
  if (line !== undefined) print(device === "" ? line : `[${device}] ${line}`);
}

function lineFor(event: ParticipantEvent): string | undefined {
  switch (event.type) {
    case "waiting":
      return `waiting: ${event.reason}`;
    case "connected":
      return `connected as ${event.client}`;
    case "disconnected":
      return `connection lost: ${event.reason}`;
    case "offered":
      return event.runs.length === 0
        ? "no run fits yet; waiting for one"
        : `taking part in ${event.runs.map(({ name, run }) => `${name} (${run})`).join(", ")}`;
    case "asked":
      return event.hint.step > 0 ? undefined : `round ${event.hint.round}: asked to ${event.hint.kind}`;
    case "trained":
      return `round ${event.hint.round}: done in ${((event.endedAt - event.startedAt) / 1000).toFixed(1)} s`;
    case "reused":
      return `round ${event.hint.round}: the same model again; sending the update that was computed before`;
    case "secured":
      return `round ${event.hint.round}: a secure sum of ${event.minimumSurvivors} to ${event.clients} devices${
        event.small ? "; a small cohort: the others together could work this device's part out" : ""
      }`;
    case "suspected":
      return `round ${event.hint.round}: ${event.members.length} devices sent shares or tags that are ${event.what}`;
    case "sent":
      if (event.protection === "none") return `round ${event.hint.round}: ${event.bytes} bytes sent, in the clear`;
      if (event.protection === "masked") return `round ${event.hint.round}: ${event.bytes} bytes sent, masked`;
      return undefined;
    case "dropped":
      return `round ${event.hint.round}: went on without this device: ${event.reason}`;
    case "dismissed":
      return `round ${event.dismissal.round}: ${event.dismissal.reason}`;
    case "declined":
      return `not taking part: ${event.detail} [${event.code}]`;
    case "runEnded":
      return `run ${event.run} is ${event.phase}${event.reason === undefined ? "" : `: ${event.reason}`}`;
    case "ignored":
      return `ignored ${event.what}: ${event.detail}`;
    case "notice":
      return event.text;
    case "failed":
      return `failed: ${event.error.message}`;
    case "left":
      return "left";
    case "enrolled":
    case "training":
    case "phase":
      return undefined;
  }
}
