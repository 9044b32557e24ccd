import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { ModelRecord, Problem, ProtocolError, RunId, routes, Sha256 } from "@tributary/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import type { Federation } from "../federation.ts";
import { ModelJson, modelJson, StateJson, stateJson } from "../model-export.ts";
import type { Models } from "../models.ts";
import type { RecentBlobs } from "../recent-blobs.ts";
import { doubles } from "../server-state.ts";
import type { Store } from "../store/store.ts";
import { byteBody } from "./byte-body.ts";

const ByVersion = Type.Object({ run: RunId, version: Type.Integer({ minimum: 0 }) });
const Rollback = Type.Object({ version: Type.Integer({ minimum: 0 }) }, { additionalProperties: false });

export interface ModelRouteOptions {
  readonly federation: Federation;
  readonly store: Store;
  readonly blobs: RecentBlobs;
  readonly models: Models;
  /** Largest weights file taken from an operator. */
  readonly maxModelBytes: number;
}

/** Model versions and their bytes: what a run has produced, and what a run can start from. */
export const modelRoutes: FastifyPluginAsyncTypebox<ModelRouteOptions> = async (app, options) => {
  const { federation, store, blobs, models, maxModelBytes } = options;
  const read = { onRequest: [app.knownOnly] };

  app.get(
    routes.models(),
    {
      ...read,
      schema: {
        summary: "Every version of a run's model",
        params: Type.Object({ run: RunId }),
        response: { 200: Type.Array(ModelRecord), "4xx": Problem },
      },
    },
    async ({ params }) => store.models(federation.session(params.run).run),
  );

  app.get(
    routes.model(),
    {
      ...read,
      schema: { summary: "One version", params: ByVersion, response: { 200: ModelRecord, "4xx": Problem } },
    },
    async ({ params }) => find(params.run, params.version),
  );

  app.get(
    routes.modelWeights(),
    {
      ...read,
      schema: {
        summary: "A version's weights: float32, little-endian, in layer order (float64 where there are no layers)",
        params: ByVersion,
      },
    },
    async (request, reply) => {
      const { sha256 } = await find(request.params.run, request.params.version);
      return sendBlob(request, reply, sha256);
    },
  );

  app.get(
    routes.modelJson(),
    {
      ...read,
      schema: {
        summary: "A version as tf.loadLayersModel takes it; its weights.bin lies beside it",
        params: ByVersion,
        response: { 200: ModelJson, "4xx": Problem },
      },
    },
    async ({ params }) => {
      const { record, spec } = federation.session(params.run);
      const { model, data, algorithm } = spec;
      if (model === undefined) {
        const where = routes.modelState(params.run, params.version);
        throw new ProtocolError("wrong_state", `${algorithm.name} trains no layers: what it has learnt is at ${where}`);
      }
      return modelJson(record, await find(params.run, params.version), await models.describe({ model, data }));
    },
  );

  app.get(
    routes.modelState(),
    {
      ...read,
      schema: {
        summary: "What an algorithm without layers has learnt, as JSON: centres, coefficients, statistics",
        params: ByVersion,
        response: { 200: StateJson, "4xx": Problem },
      },
    },
    async ({ params }) => {
      const session = federation.session(params.run);
      const version = await find(params.run, params.version);
      return stateJson(session, version, doubles(await blobs.get(version.sha256)));
    },
  );

  app.post(
    routes.rollback(),
    {
      onRequest: [app.operatorOnly],
      schema: {
        summary: "Serve an earlier version again, as a new version; the run must not be at work",
        params: Type.Object({ run: RunId }),
        body: Rollback,
        response: { 201: ModelRecord, "4xx": Problem },
      },
    },
    async ({ params, body }, reply) => {
      const record = await federation.session(params.run).rollBack(body.version);
      return reply.code(201).header("location", routes.model(record.run, record.version)).send(record);
    },
  );

  app.get(
    routes.blob(),
    { ...read, schema: { summary: "Immutable bytes by their SHA-256", params: Type.Object({ sha256: Sha256 }) } },
    async (request, reply) => sendBlob(request, reply, request.params.sha256),
  );

  app.post(
    routes.uploadModel(),
    {
      onRequest: [app.operatorOnly],
      bodyLimit: maxModelBytes,
      schema: {
        summary: "Upload weights (float32, little-endian) for runs to start from",
        consumes: ["application/octet-stream"],
        response: { 201: Type.Object({ sha256: Sha256, parameters: Type.Integer() }), "4xx": Problem },
      },
    },
    async (request, reply) => {
      const bytes = await collect(byteBody(request), maxModelBytes);
      if (bytes.byteLength === 0 || bytes.byteLength % 4 !== 0) {
        throw new ProtocolError(
          "bad_request",
          `weights are float32: ${bytes.byteLength} bytes are not a multiple of 4`,
        );
      }
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      const bad = values.findIndex((value) => !Number.isFinite(value));
      if (bad !== -1) throw new ProtocolError("bad_request", `weight ${bad} is ${values[bad]}`);
      return reply.code(201).send({ sha256: await blobs.put(bytes), parameters: values.length });
    },
  );

  async function find(run: string, version: number): Promise<ModelRecord> {
    const record = await store.model(federation.session(run).run, version);
    if (record === undefined) throw new ProtocolError("not_found", `The run has no model version ${version}.`);
    return record;
  }

  async function sendBlob(request: FastifyRequest, reply: FastifyReply, sha256: Sha256): Promise<FastifyReply> {
    const etag = `"${sha256}"`;
    reply.header("etag", etag).header("cache-control", "private, max-age=31536000, immutable");
    if (request.headers["if-none-match"] === etag) return reply.code(304).send();
    const held = await blobs.held(sha256);
    const found = held === undefined ? await blobs.find(sha256) : { bytes: held.byteLength };
    if (found === undefined) throw new ProtocolError("not_found", `There is no blob ${sha256}.`);
    if (request.caller.kind === "device") federation.noteDownload(request.caller.client, found.bytes);
    const bytes = held ?? (await blobs.recent(sha256, found.bytes)) ?? blobs.stream(sha256);
    return reply.type("application/octet-stream").header("content-length", found.bytes).send(bytes);
  }
};

/** A whole body of at most `limit` bytes, in one aligned buffer. Fastify's own limit does not cover streamed bodies. */
async function collect(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > limit) throw new ProtocolError("too_large", `at most ${limit} bytes are taken`);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
