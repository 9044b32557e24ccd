import { readFile, writeFile } from "node:fs/promises";
import { newSeed, signerOf } from "@tributary/node-client";
import { parse, RosterMember, toBase64 } from "@tributary/protocol";
import { signRoster } from "@tributary/secure-agg";
import type { Command } from "commander";
import Type from "typebox";
import { UsageError } from "../exit.ts";
import { print } from "../output.ts";

/** What the operator writes by hand, and what `sign` made of it before. */
const RosterDraft = Type.Object({ members: Type.Array(RosterMember, { maxItems: 20_000 }) });

export function addRosterCommand(program: Command): void {
  const roster = program
    .command("roster")
    .description("Vouch for devices as the operator, so that devices need not trust the coordinator's word for them.");

  roster
    .command("keygen")
    .description("Make the operator's key. Keep the file away from the coordinator.")
    .argument("<file>", "where to write the secret key (mode 0600)")
    .action(async (file: string) => {
      const seed = newSeed();
      await writeFile(file, `${seed}\n`, { flag: "wx", mode: 0o600 });
      print(`operator key: ${toBase64(signerOf(seed).publicKey)}   (give it to devices: --operator-key)`);
    });

  roster
    .command("sign")
    .description('Sign a roster in place: a JSON file { "members": [{ "name": "…", "publicKey": "…" }] }.')
    .argument("<file>", "the roster")
    .requiredOption("--key <file>", "the operator's key, as keygen wrote it")
    .addHelpText(
      "after",
      "\nA device's key is in `tributary clients --json`, and in the refusal that a device not on the roster is given.",
    )
    .action(async (file: string, { key }: { key: string }) => {
      const seed = (await readFile(key, "utf8")).trim();
      if (!/^[A-Za-z0-9+/]{43}=$/.test(seed)) throw new UsageError(`${key} is not a key that keygen wrote`);
      const { members } = parse(RosterDraft, await jsonOf(file), { what: file });
      const signed = await signRoster(signerOf(seed), members);
      await writeFile(file, `${JSON.stringify(signed, undefined, 2)}\n`);
      print(
        `${file}: ${members.length === 1 ? "one device" : `${members.length} devices`}, signed by ${signed.operatorKey}`,
      );
    });
}

async function jsonOf(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8");
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${file} is not JSON; expected { "members": [{ "name": "…", "publicKey": "…" }] }`);
  }
}
