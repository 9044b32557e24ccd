import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import {
  Accepted,
  ClientId,
  Problem,
  ProtocolError,
  RunId,
  routes,
  type Sha256,
  type StepAddress,
  StepQuestion,
} from "@tributary/protocol";
import type { FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import type { Federation } from "../federation.ts";
import { deviceOf } from "../plugins/credentials.ts";
import { byteBody } from "./byte-body.ts";

const ByStep = Type.Object({
  run: RunId,
  round: Type.Integer({ minimum: 0 }),
  attempt: Type.Integer({ minimum: 1 }),
  step: Type.Integer({ minimum: 0 }),
  client: ClientId,
});

/** A step's questions down, its answers up. */
export const answerRoutes: FastifyPluginAsyncTypebox<{ federation: Federation }> = async (app, { federation }) => {
  app.get(
    routes.question(),
    {
      onRequest: [app.deviceOnly],
      schema: { summary: "What a step asks a client", params: ByStep, response: { 200: StepQuestion, "4xx": Problem } },
    },
    async (request) => {
      const { address, client } = addressed(request, request.params);
      return federation.session(address.run).question(address, client);
    },
  );

  app.put(
    routes.answer(),
    {
      onRequest: [app.deviceOnly],
      schema: {
        summary: "Answer a step: one frame, with its Content-Digest; safe to repeat",
        params: ByStep,
        consumes: ["application/octet-stream"],
        response: { 200: Accepted, "4xx": Problem },
      },
    },
    async (request) => {
      const { address, client } = addressed(request, request.params);
      const bytes = Number(request.headers["content-length"]);
      if (!Number.isInteger(bytes)) throw new ProtocolError("length_required", "An answer needs a Content-Length.");
      const digest = digestOf(request.headers["content-digest"]);
      return federation.session(address.run).receive(address, client, { body: byteBody(request), bytes, digest });
    },
  );
};

function addressed(request: FastifyRequest, params: Static<typeof ByStep>): { address: StepAddress; client: ClientId } {
  const client = deviceOf(request);
  if (params.client !== client) throw new ProtocolError("forbidden", "This token belongs to another client.");
  const { run, round, attempt, step } = params;
  return { address: { run, round, attempt, step }, client };
}

/** The SHA-256 of an RFC 9530 `Content-Digest: sha-256=:base64:` header. */
function digestOf(header: string | string[] | undefined): Sha256 {
  const base64 = typeof header === "string" ? /(?:^|,\s*)sha-256=:([A-Za-z0-9+/]{43}=):/.exec(header)?.[1] : undefined;
  if (base64 === undefined) {
    throw new ProtocolError("bad_request", "An answer needs the header Content-Digest: sha-256=:base64: (RFC 9530).");
  }
  return Buffer.from(base64, "base64").toString("hex") as Sha256;
}
