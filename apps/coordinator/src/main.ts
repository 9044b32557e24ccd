import { join, resolve } from "node:path";
import { toBase64 } from "@tributary/protocol";
import { pino } from "pino";
import { buildApp } from "./app.ts";
import { coordinatorKey } from "./coordinator-key.ts";
import { type EvaluationSources, Models } from "./models.ts";
import type { Access } from "./plugins/credentials.ts";
import { rosterFrom } from "./roster-file.ts";
import { operatorSecrets } from "./secrets.ts";
import { openBlobs } from "./store/blobs.ts";
import { lockDataFolder } from "./store/lock.ts";
import { openSpool } from "./store/spool.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import { fromFiles, selfSigned, type TlsIdentity } from "./tls.ts";

export interface CoordinatorOptions {
  /** Folder of everything that is kept; made if it is missing. */
  readonly dataFolder: string;
  /** Address to listen on. Anything but loopback needs `tls`, or `insecure` by name. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly tls?: "self-signed" | { readonly certFile: string; readonly keyFile: string };
  /** Off loopback: no TLS, no admin key, no join token. */
  readonly insecure?: boolean;
  /** A roster signed by the operator: only the devices on it are enrolled. */
  readonly rosterFile?: string;
  /** How long a device's token is good; default: 24 hours. */
  readonly sessionMs?: number;
  readonly evaluationData?: EvaluationSources;
  readonly allowedOrigins?: readonly string[];
  /** How many devices may connect in a second; default: 500. */
  readonly handshakesPerSecond?: number;
  readonly logLevel?: "debug" | "info" | "warn" | "error" | "silent";
  /** Where the structured log goes: a file descriptor or path; default standard error. */
  readonly logTo?: number | string;
}

export interface RunningCoordinator {
  readonly url: string;
  /** Its Ed25519 key in base64: what devices know it by. */
  readonly coordinatorKey: string;
  /** Of the roster, in base64: what devices pin. */
  readonly operatorKey?: string;
  /** With TLS: what devices pin. */
  readonly fingerprint?: string;
  /** Made by this start and shown once. */
  readonly minted?: { readonly adminKey: string; readonly joinToken: string };
  /** Finishes the commit under way, tells devices, closes the store. */
  close(): Promise<void>;
}

const loopback = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** An option that contradicts another or would be unsafe; the message says what to do instead. */
export class UnsafeOptions extends Error {
  override readonly name = "UnsafeOptions";
}

/** Starts a coordinator. Throws UnsafeOptions, DataFolderInUse, or an error that names the file or port at fault. */
export async function startCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const { host, port, insecure = false } = options;
  const local = loopback.test(host);
  if (!local && options.tls === undefined && !insecure) {
    throw new UnsafeOptions(
      `${host} is not a loopback address: give --tls-cert and --tls-key, or --tls self-signed, or ask for an open door by name with --insecure`,
    );
  }
  const dataFolder = resolve(options.dataFolder);
  const lock = await lockDataFolder(dataFolder);
  const undo: (() => unknown)[] = [() => lock.release()];
  try {
    const logger = pino(
      { level: options.logLevel ?? "info" },
      pino.destination({ dest: options.logTo ?? 2, sync: false }),
    );
    const tls = options.tls === undefined ? undefined : await tlsIdentity(options.tls, dataFolder, host);
    const signer = await coordinatorKey(dataFolder);
    const roster = options.rosterFile === undefined ? undefined : await rosterFrom(options.rosterFile);
    const secrets = local || insecure ? undefined : await operatorSecrets(dataFolder);
    const access: Access = secrets === undefined ? { kind: "open" } : { kind: "guarded", ...secrets };
    const store = await openSqliteStore(join(dataFolder, "tributary.sqlite"));
    undo.push(() => store.close());
    const models = new Models(options.evaluationData ?? {});
    undo.push(() => models.close());
    const { app, federation } = await buildApp({
      store,
      blobs: await openBlobs(join(dataFolder, "blobs")),
      spool: await openSpool(join(dataFolder, "spool")),
      models,
      access,
      signer,
      roster,
      sessionMs: options.sessionMs,
      handshakesPerSecond: options.handshakesPerSecond,
      logger,
      loopbackOnly: local,
      allowedOrigins: options.allowedOrigins ?? [],
      ...(tls === undefined ? {} : { tls }),
    });
    undo.push(() => app.close());
    await app.listen({ host, port, backlog: 4096 }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EADDRINUSE") throw cause;
      const mend = "stop it, or choose another with --port (0 takes a free one)";
      const taken = new Error(`port ${port} of ${host} is taken by another process; ${mend}`, { cause });
      throw Object.assign(taken, { code: cause.code });
    });
    const address = app.server.address() as { port: number };
    const shownHost = host.includes(":") ? `[${host}]` : host;
    logger.info({ host, port: address.port, runs: federation.records().length }, "listening");
    return {
      url: `${tls === undefined ? "http" : "https"}://${shownHost}:${address.port}`,
      coordinatorKey: toBase64(signer.publicKey),
      ...(roster === undefined ? {} : { operatorKey: roster.signed.operatorKey }),
      ...(tls === undefined ? {} : { fingerprint: tls.fingerprint }),
      ...(secrets?.minted === undefined ? {} : { minted: secrets.minted }),
      close: () => unwind(undo),
    };
  } catch (error) {
    await unwind(undo);
    throw error;
  }
}

async function unwind(undo: (() => unknown)[]): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  for (const step of undo.splice(0).reverse()) {
    // A part that cannot be closed must not leave the store open.
    try {
      await step();
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
}

async function tlsIdentity(
  tls: NonNullable<CoordinatorOptions["tls"]>,
  dataFolder: string,
  host: string,
): Promise<TlsIdentity> {
  if (tls !== "self-signed") return fromFiles(tls.certFile, tls.keyFile);
  const { hostname, networkInterfaces } = await import("node:os");
  const addresses = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  const wildcard = host === "0.0.0.0" || host === "::";
  return selfSigned(
    dataFolder,
    wildcard ? [hostname(), "localhost", ...addresses.filter((a) => !a.includes("%"))] : [host],
  );
}
