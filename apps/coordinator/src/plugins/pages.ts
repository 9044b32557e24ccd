import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import fastifyStatic from "@fastify/static";
import { ProtocolError } from "@tributary/protocol";
import type { FastifyInstance } from "fastify";

/** A built page, and where it is served. */
export interface ServedPage {
  /** Begins with `/`; the page's own files are relative to it. */
  readonly at: string;
  /** The workspace that builds it into `dist/page`. */
  readonly workspace: string;
}

/** The worker that reads a person's data gets no connection at all; what it works out goes to the page's other worker. */
const trainingPolicy = policyOf({ "connect-src": "blob:" });
const pagePolicy = policyOf({
  "style-src": "'self'",
  "img-src": "'self' blob: data:",
  // Covers WebSockets to the same host too.
  "connect-src": "'self'",
  "worker-src": "'self'",
});

function policyOf(directives: Readonly<Record<string, string>>): string {
  const all = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    ...directives,
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
  };
  return Object.entries(all)
    .map(([name, sources]) => `${name} ${sources}`)
    .join("; ");
}

const headers = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;

/** Serves built pages under a policy that lets them load and talk to nothing but this coordinator. */
export async function pages(app: FastifyInstance, options: { pages: readonly ServedPage[] }): Promise<void> {
  for (const page of options.pages) await servePage(app, page);
}

async function servePage(app: FastifyInstance, { at, workspace }: ServedPage): Promise<void> {
  const root = join(dirname(createRequire(import.meta.url).resolve(`${workspace}/package.json`)), "dist/page");
  if (!existsSync(join(root, "index.html"))) {
    app.get(at, { schema: { hide: true } as object }, async () => {
      throw new ProtocolError("not_found", `The page ${at} is not built; run: npm run build`);
    });
    return;
  }
  await app.register(fastifyStatic, {
    root,
    prefix: at,
    decorateReply: false,
    redirect: true,
    preCompressed: true,
    // Set below, by whether a name changes with its content.
    cacheControl: false,
    setHeaders(reply, path) {
      const hashed = path.includes("/assets/");
      reply.headers(headers);
      reply.header(
        "content-security-policy",
        /\/assets\/worker\/training-worker-[^/]*$/.test(path) ? trainingPolicy : pagePolicy,
      );
      reply.header("cache-control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
}
