import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { routes } from "@tributary/protocol";
import fastifyPlugin from "fastify-plugin";

const gzipped = promisify(gzip);
/** Less fits into a few packets as it is. */
const leastCharacters = 4_096;

/**
 * Long JSON leaves gzipped where the reader takes it: records of clients and rounds repeat themselves. Event streams and
 * vectors are not JSON; a question's messages are sealed, and get no smaller. Only what a GET answers with: tokens are
 * given in answers to POST, and a secret next to what others chose must not be compressed (BREACH).
 */
export const compression = fastifyPlugin(async (app) => {
  app.addHook("onSend", async (request, reply, payload) => {
    const isJson = `${reply.getHeader("content-type")}`.startsWith("application/json");
    const isMeant = request.method === "GET" && request.routeOptions.url !== routes.question();
    if (typeof payload !== "string" || payload.length < leastCharacters || !isJson || !isMeant) return payload;
    const vary = reply.getHeader("vary");
    reply.header("vary", vary === undefined ? "accept-encoding" : `${vary}, accept-encoding`);
    if (!takesGzip(request.headers["accept-encoding"])) return payload;
    reply.header("content-encoding", "gzip").removeHeader("content-length");
    // The coordinator has sums to work out; the best ratio would cost several times the time.
    return gzipped(payload, { level: constants.Z_BEST_SPEED });
  });
});

function takesGzip(accepted: string | string[] | undefined): boolean {
  const codings = `${accepted ?? ""}`.split(",").map((coding) => coding.trim().toLowerCase());
  return codings.some((coding) => /^gzip(\s*;\s*q=(1|0?\.\d*[1-9]\d*|1\.0*))?$/.test(coding));
}
