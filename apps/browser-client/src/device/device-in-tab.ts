import {
  type AnswerStore,
  type DeviceKeys,
  Identity,
  type IdentityStore,
  type KeptRecord,
  type KeptStore,
  readAnswers,
  type WrittenAnswers,
  writeAnswers,
} from "@tributary/participant";
import { parse } from "@tributary/protocol";
import { type Signer, seedSigner } from "@tributary/secure-agg";
import { openDatabase, settled, written } from "./database.ts";
import { pinCoordinator } from "./pins.ts";

/** What a tab's device keeps for one coordinator: its key, who it is, and for which models it revealed shares. */
interface Kept {
  /** A key pair whose secret half no script can read; where the browser knows no Ed25519, the seed of one. */
  readonly key?: CryptoKeyPair | Uint8Array<ArrayBuffer>;
  readonly identity?: Identity;
  readonly answers?: Readonly<Record<string, WrittenAnswers>>;
}

const store = "devices";

/**
 * One tab's device: it outlives a reload and goes with the tab, so that no coordinator can tell that two visits were the
 * same person's, nor two coordinators that they were visited by the same. What tabs that are gone left behind is swept away
 * when the page is next opened.
 */
export class DeviceInTab {
  readonly #tab: string;
  readonly #coordinator: string;
  readonly #database: Promise<IDBDatabase>;

  constructor(tab: string, coordinator: string) {
    this.#tab = tab;
    this.#coordinator = coordinator;
    this.#database = openDatabase();
  }

  readonly keys: DeviceKeys = {
    signerFor: async () => {
      const { key } = await this.#read();
      if (key !== undefined) return signerOf(key);
      const fresh = await newKey();
      await this.#change((kept) => ({ ...kept, key: fresh }));
      return signerOf(fresh);
    },
  };

  readonly identity: IdentityStore = {
    load: async () => {
      const { identity } = await this.#read();
      return identity === undefined ? undefined : parse(Identity, identity, { what: "the identity kept in this tab" });
    },
    save: async (identity) => {
      await this.#change((kept) => ({ ...kept, identity }));
      await pinCoordinator(this.#coordinator, { key: identity.coordinatorKey, since: Date.now() });
    },
  };

  readonly answers: AnswerStore = {
    load: async (run) => readAnswers((await this.#read()).answers?.[run]),
    save: (run, answers) => {
      const written = writeAnswers(answers);
      return this.#change((kept) => ({ ...kept, answers: { ...kept.answers, [run]: written } }));
    },
  };

  /** What algorithms have this device keep from round to round; an entry for each run, for it may be as large as a model. */
  readonly kept: KeptStore = {
    load: async (run) => {
      const devices = (await this.#database).transaction(store).objectStore(store);
      return (await settled(devices.get(`${this.#name} ${run}`))) as KeptRecord | undefined;
    },
    save: (run, record) => this.#write((devices) => devices.put(record, `${this.#name} ${run}`)),
    remove: (run) => this.#write((devices) => devices.delete(`${this.#name} ${run}`)),
  };

  get #name(): string {
    return `${this.#tab} ${this.#coordinator}`;
  }

  async #read(): Promise<Kept> {
    const devices = (await this.#database).transaction(store).objectStore(store);
    return ((await settled(devices.get(this.#name))) as Kept | undefined) ?? {};
  }

  async #write(change: (devices: IDBObjectStore) => void): Promise<void> {
    const transaction = (await this.#database).transaction(store, "readwrite", { durability: "strict" });
    change(transaction.objectStore(store));
    await written(transaction);
  }

  /** On disk when it resolves: a share that was revealed must not be forgotten with a crash. */
  async #change(change: (kept: Kept) => Kept): Promise<void> {
    const transaction = (await this.#database).transaction(store, "readwrite", { durability: "strict" });
    const devices = transaction.objectStore(store);
    const kept = ((await settled(devices.get(this.#name))) as Kept | undefined) ?? {};
    devices.put(change(kept), this.#name);
    await written(transaction);
  }
}

async function newKey(): Promise<CryptoKeyPair | Uint8Array<ArrayBuffer>> {
  try {
    return (await crypto.subtle.generateKey("Ed25519", false, ["sign"])) as CryptoKeyPair;
  } catch {
    return crypto.getRandomValues(new Uint8Array(32));
  }
}

async function signerOf(key: CryptoKeyPair | Uint8Array): Promise<Signer> {
  if (key instanceof Uint8Array) return seedSigner(key);
  const { privateKey } = key;
  return {
    publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", key.publicKey)),
    sign: async (message) =>
      new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, message as Uint8Array<ArrayBuffer>)),
  };
}
