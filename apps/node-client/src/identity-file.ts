import { readFile } from "node:fs/promises";
import { type DeviceKeys, Identity, type IdentityStore } from "@tributary/participant";
import { ProtocolError, parse } from "@tributary/protocol";
import Type, { type Static } from "typebox";
import { newSeed, signerOf } from "./device-keys.ts";
import { replaceFile } from "./replace-file.ts";

/** What one device keeps for one coordinator: the seed of its key in base64, and who it is. */
const Kept = Type.Object({
  seed: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9+/]{43}=$" })),
  identity: Type.Optional(Identity),
});
type Kept = Static<typeof Kept>;

/** By coordinator and device name. */
const IdentityFile = Type.Record(Type.String(), Type.Record(Type.String(), Kept));
type IdentityFile = Static<typeof IdentityFile>;

/** One file (mode 0600, for it holds keys and tokens) with the identities of all devices of a process. */
export class IdentitiesOnDisk {
  readonly #path: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Where one device keeps its identity for one coordinator. `load` throws `bad_data` for a file that is not its own. */
  storeFor(coordinator: string, device: string): IdentityStore {
    return {
      load: () => this.#inTurn(async () => (await this.#read())[coordinator]?.[device]?.identity),
      save: (identity) => this.#inTurn(() => this.#change({ coordinator, device }, { identity })),
    };
  }

  /** The key of one device for one coordinator, made and written down when first asked for. */
  keysFor(coordinator: string, device: string): DeviceKeys {
    return {
      signerFor: () =>
        this.#inTurn(async () => {
          const kept = (await this.#read())[coordinator]?.[device]?.seed;
          if (kept !== undefined) return signerOf(kept);
          const seed = newSeed();
          await this.#change({ coordinator, device }, { seed });
          return signerOf(seed);
        }),
    };
  }

  async #change({ coordinator, device }: { coordinator: string; device: string }, changed: Kept): Promise<void> {
    const all = await this.#read();
    const devices = all[coordinator] ?? {};
    await this.#write({ ...all, [coordinator]: { ...devices, [device]: { ...devices[device], ...changed } } });
  }

  /** Reading and writing back must not interleave between devices. */
  #inTurn<Value>(action: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(action);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #read(): Promise<IdentityFile> {
    const text = await readFile(this.#path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "{}";
      throw error;
    });
    try {
      return parse(IdentityFile, JSON.parse(text), { what: this.#path, code: "bad_data" });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const detail = `${this.#path}: expected the JSON of an identity file; move it away to enrol anew`;
      throw new ProtocolError("bad_data", detail, { cause: error });
    }
  }

  #write(all: IdentityFile): Promise<void> {
    return replaceFile(this.#path, `${JSON.stringify(all, undefined, 2)}\n`);
  }
}
