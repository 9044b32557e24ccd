import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import { ProtocolError } from "@tributary/protocol";
import type { OperatorRoster, Signer } from "@tributary/secure-agg";
import fastify, { type FastifyInstance, LogController } from "fastify";
import type { Logger } from "pino";
import { Federation } from "./federation.ts";
import { Identities } from "./identities.ts";
import type { Models } from "./models.ts";
import { compression } from "./plugins/compression.ts";
import { type Access, credentials } from "./plugins/credentials.ts";
import { lastConnections } from "./plugins/last-connections.ts";
import { metrics } from "./plugins/metrics.ts";
import { openapi } from "./plugins/openapi.ts";
import { type Origins, origins } from "./plugins/origins.ts";
import { pages } from "./plugins/pages.ts";
import { problems } from "./plugins/problems.ts";
import { sockets } from "./plugins/sockets.ts";
import { recentBlobs } from "./recent-blobs.ts";
import { answerRoutes } from "./routes/answers.ts";
import { clientRoutes } from "./routes/clients.ts";
import { eventRoutes } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { identityRoutes } from "./routes/identity.ts";
import { modelRoutes } from "./routes/models.ts";
import { runRoutes } from "./routes/runs.ts";
import type { Blobs } from "./store/blobs.ts";
import type { Spool } from "./store/spool.ts";
import type { Store } from "./store/store.ts";

export interface AppOptions {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly spool: Spool;
  readonly models: Models;
  readonly access: Access;
  /** The coordinator's own Ed25519 key. */
  readonly signer: Signer;
  /** With one, only the devices on it are enrolled. */
  readonly roster?: OperatorRoster | undefined;
  /** How long a device's token is good; default: 24 hours. */
  readonly sessionMs?: number | undefined;
  readonly logger: Logger;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** It listens on loopback, where requests for any other host name are somebody's trick. */
  readonly loopbackOnly: boolean;
  /** Origins besides the coordinator's own whose pages may talk to it. */
  readonly allowedOrigins?: readonly string[];
  readonly maxModelBytes?: number;
  readonly graceMs?: number;
  /** Default: 500. */
  readonly handshakesPerSecond?: number | undefined;
}

export interface App {
  readonly app: FastifyInstance;
  readonly federation: Federation;
}

/** The coordinator, every run restored and every route in place. Listens to nothing; `app.close()` ends it cleanly. */
export async function buildApp(options: AppOptions): Promise<App> {
  const { store, spool, models, access, logger, tls } = options;
  const blobs = recentBlobs(options.blobs);
  const app = fastify({
    loggerInstance: logger,
    bodyLimit: 1_048_576,
    // Slow-loris: headers must arrive within 10 s, a whole request within 5 minutes, and a silent socket is cut at 30 s.
    requestTimeout: 300_000,
    connectionTimeout: 30_000,
    keepAliveTimeout: 72_000,
    http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000 },
    ...(tls === undefined ? {} : { https: { ...tls, headersTimeout: 10_000, connectionsCheckingInterval: 2_000 } }),
    return503OnClosing: true,
    logController: new LogController({ disableRequestLogging: true }),
  } as Parameters<typeof fastify>[0]).withTypeProvider<TypeBoxTypeProvider>() as unknown as FastifyInstance;
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  // Bodies of bytes stay streams; whoever reads one counts its bytes.
  app.addContentTypeParser("application/octet-stream", (_request, payload, done) => done(null, payload));

  const federation = new Federation({
    store,
    blobs,
    spool,
    models,
    log: app.log,
    ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
  });
  const closing = new AbortController();
  app.addHook("preClose", async () => {
    closing.abort();
    await federation.close();
  });

  await app.register(lastConnections, { patienceMs: 2_000 });
  await app.register(problems);
  const mayTalk: Origins = { allowed: options.allowedOrigins ?? [], loopbackOnly: options.loopbackOnly };
  await app.register(origins, mayTalk);
  await app.register(credentials, { access, store, now: () => federation.now() });
  await app.register(compression);
  await app.register(openapi);
  await app.register(metrics, { federation, store, spool });
  const handshakesPerSecond = options.handshakesPerSecond ?? 500;
  await app.register(sockets, { federation, store, origins: mayTalk, handshakesPerSecond });
  await app.register(healthRoutes, {
    ready: async () => {
      if (closing.signal.aborted)
        throw new ProtocolError("server_restarting", "The coordinator is stopping.", { retryAfterMs: 5_000 });
      await store.runs();
    },
  });
  await app.register(runRoutes, { federation, store });
  await app.register(modelRoutes, {
    federation,
    store,
    blobs,
    models,
    maxModelBytes: options.maxModelBytes ?? 2 ** 30,
  });
  const { signer, roster, sessionMs } = options;
  const identities = new Identities({ signer, roster, sessionMs, now: () => performance.now() });
  await app.register(identityRoutes, { federation, store, identities });
  await app.register(clientRoutes, { federation, store, identities });
  await app.register(answerRoutes, { federation });
  await app.register(pages, {
    pages: [
      { at: "/join", workspace: "@tributary/browser-client" },
      { at: "/", workspace: "@tributary/dashboard" },
    ],
  });
  await app.register(eventRoutes, { federation, store, closing: closing.signal });
  await federation.restore();
  await app.ready();
  return { app, federation };
}
