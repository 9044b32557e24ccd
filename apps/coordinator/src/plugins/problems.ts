import { ProtocolError, refusals } from "@tributary/protocol";
import type { FastifyError, FastifyInstance, FastifyReply } from "fastify";
import fastifyPlugin from "fastify-plugin";

/** Every error leaves as an RFC 9457 problem document; what is not a refusal is our bug, and is logged as one. */
export const problems = fastifyPlugin(async (app: FastifyInstance) => {
  app.setErrorHandler<FastifyError | ProtocolError>((error, request, reply) => {
    const refusal = error instanceof ProtocolError ? error : fromFastify(error);
    if (refusal === undefined) {
      request.log.error({ err: error }, "unexpected error");
      return sendProblem(reply, new ProtocolError("internal", "The coordinator's log has the details."));
    }
    request.log.info({ code: refusal.code, detail: refusal.message }, "refused");
    return sendProblem(reply, refusal);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new ProtocolError("not_found", `There is nothing at ${request.method} ${request.url}.`)),
  );
});

/** Sends a refusal as `application/problem+json`. */
function sendProblem(reply: FastifyReply, error: ProtocolError): FastifyReply {
  const problem = error.problem();
  if (problem.retryAfterMs !== undefined) reply.header("retry-after", Math.ceil(problem.retryAfterMs / 1000));
  return reply.code(problem.status).type("application/problem+json").send(JSON.stringify(problem));
}

/** What Fastify itself refuses: bodies that are too large, not JSON, or not what the route's schema says. */
function fromFastify(error: FastifyError): ProtocolError | undefined {
  if (error.validation !== undefined) return new ProtocolError("bad_request", error.message);
  const status = error.statusCode ?? 500;
  if (status >= 500) return undefined;
  const codes = { 408: "request_timeout", 411: "length_required", 413: "too_large", 404: "not_found" } as const;
  const code = codes[status as keyof typeof codes] ?? "bad_request";
  return new ProtocolError(code, error.message || refusals[code].title);
}
