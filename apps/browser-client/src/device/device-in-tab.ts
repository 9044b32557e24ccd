import {
  type AnswerStore,
  type DeviceKeys,
  Identity,
  type IdentityStore,
  readAnswers,
  type WrittenAnswers,
  writeAnswers,
} from "@tributary/participant";
import { parse } from "@tributary/protocol";
import { type Signer, seedSigner } from "@tributary/secure-agg";
import { tabLock } from "../tab-lock.ts";

/** What a tab's device keeps: its key, who it is, and for which models it revealed shares. */
interface Kept {
  /** A key pair whose secret half no script can read; where the browser knows no Ed25519, the seed of one. */
  readonly key?: CryptoKeyPair | Uint8Array<ArrayBuffer>;
  readonly identity?: Identity;
  readonly answers?: Readonly<Record<string, WrittenAnswers>>;
}

const store = "devices";

/**
 * One tab's device: it outlives a reload and goes with the tab, so that no coordinator can tell that two visits were the
 * same person's. What tabs that are gone left behind is deleted when the next one opens.
 */
export class DeviceInTab {
  readonly #tab: string;
  readonly #database: Promise<IDBDatabase>;

  constructor(tab: string) {
    this.#tab = tab;
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
    save: (identity) => this.#change((kept) => ({ ...kept, identity })),
  };

  readonly answers: AnswerStore = {
    load: async (run) => readAnswers((await this.#read()).answers?.[run]),
    save: (run, answers) => {
      const written = writeAnswers(answers);
      return this.#change((kept) => ({ ...kept, answers: { ...kept.answers, [run]: written } }));
    },
  };

  /** Deletes what belongs to tabs that are open no more. */
  async sweep(): Promise<void> {
    const { held = [] } = await navigator.locks.query();
    const open = new Set([tabLock(this.#tab), ...held.map(({ name }) => name)]);
    const devices = (await this.#database).transaction(store, "readwrite").objectStore(store);
    const tabs = await settled(devices.getAllKeys());
    for (const tab of tabs) if (!open.has(tabLock(String(tab)))) devices.delete(tab);
  }

  async #read(): Promise<Kept> {
    const devices = (await this.#database).transaction(store).objectStore(store);
    return ((await settled(devices.get(this.#tab))) as Kept | undefined) ?? {};
  }

  /** On disk when it resolves: a share that was revealed must not be forgotten with a crash. */
  async #change(change: (kept: Kept) => Kept): Promise<void> {
    const transaction = (await this.#database).transaction(store, "readwrite", { durability: "strict" });
    const devices = transaction.objectStore(store);
    const kept = ((await settled(devices.get(this.#tab))) as Kept | undefined) ?? {};
    devices.put(change(kept), this.#tab);
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser could not keep this device"));
    });
  }
}

function openDatabase(): Promise<IDBDatabase> {
  const opening = indexedDB.open("tributary", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(store);
  return settled(opening);
}

function settled<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's own storage failed"));
  });
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
