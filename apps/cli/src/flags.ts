import { type Command, InvalidArgumentError, Option } from "commander";
import { Rest } from "./rest.ts";

/** Where the coordinator listens unless told otherwise. */
export const defaultPort = 7600;

/** An integer flag's parser; refuses anything outside minimum … maximum. */
export function integer(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      const range = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
      throw new InvalidArgumentError(`It must be an integer ${range}.`);
    }
    return value;
  };
}

/** A real-number flag's parser. */
export function real(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= minimum && value <= maximum)) {
      throw new InvalidArgumentError(`It must be a number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

/** A flag's parser for an amount of memory, in bytes: `2GB`, `512MiB`. */
export function memory(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\s*(MB|GB|MiB|GiB)$/.exec(text) ?? [];
  const bytes = Number(count) * ({ MB: 1e6, GB: 1e9, MiB: 2 ** 20, GiB: 2 ** 30 }[unit ?? ""] ?? 0);
  if (bytes > 0) return Math.round(bytes);
  throw new InvalidArgumentError("It must be an amount such as 2GB or 512MiB.");
}

/** A flag's parser for an Ed25519 public key in base64. */
export function publicKey(text: string): string {
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a key as it was printed: 44 characters of base64, the last of them =.");
}

/** A comma-separated list flag's parser; repeats of the flag add up. */
export function list(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(",").map((part) => part.trim())].filter((part) => part !== "");
}

/** A flag's parser for origins as browsers send them; repeats of the flag add up. */
export function originList(text: string, before: readonly string[] = []): string[] {
  const origins = list(text);
  for (const origin of origins) {
    if (URL.canParse(origin) && /^https?:/.test(origin) && new URL(origin).origin === origin) continue;
    throw new InvalidArgumentError(`"${origin}" is no origin: give scheme, host and port, as https://join.example.`);
  }
  return [...before, ...origins];
}

export interface RemoteFlags {
  readonly coordinator: string;
  readonly adminKey?: string;
  readonly fingerprint?: string;
}

/** Adds the flags of every command that speaks to a coordinator as its operator. */
export function withRemoteFlags(command: Command): Command {
  return withCoordinatorFlags(command).addOption(
    new Option("--admin-key <key>", "the operator's key, where the coordinator asks for one").env(
      "TRIBUTARY_ADMIN_KEY",
    ),
  );
}

/** Adds the flags that say where the coordinator is and how it is recognised. */
export function withCoordinatorFlags(command: Command): Command {
  return command
    .addOption(
      new Option("--coordinator <url>", "the coordinator's address")
        .env("TRIBUTARY_COORDINATOR")
        .default(`http://127.0.0.1:${defaultPort}`),
    )
    .addOption(
      new Option("--fingerprint <sha256>", "SHA-256 of a self-signed coordinator's certificate").env(
        "TRIBUTARY_FINGERPRINT",
      ),
    );
}

/** The REST API that a command's flags point at. */
export function openRest({ coordinator, adminKey, fingerprint }: RemoteFlags): Promise<Rest> {
  return Rest.open({ url: coordinator, adminKey, fingerprint });
}
