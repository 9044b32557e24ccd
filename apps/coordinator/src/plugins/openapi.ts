import fastifySwagger from "@fastify/swagger";
import { RunSpecSchema } from "@tributary/catalog";
import {
  Accepted,
  ClientRecord,
  DeviceState,
  Enrolled,
  Enrolment,
  EventGap,
  FederationEvent,
  Introduction,
  Login,
  ModelRecord,
  Problem,
  protocolVersion,
  RoundRecord,
  RoundSummary,
  RoundTimeline,
  RunRecord,
  routes,
  Session,
  SignedRoster,
  StepQuestion,
} from "@tributary/protocol";
import type { FastifyInstance, FastifySchema, RouteOptions } from "fastify";
import fastifyPlugin from "fastify-plugin";

/** Schemas that the document names once and refers to everywhere. */
const named: Readonly<Record<string, object>> = {
  RunSpec: asInput(RunSpecSchema),
  RunRecord,
  RoundRecord,
  RoundSummary,
  RoundTimeline,
  ModelRecord,
  ClientRecord,
  FederationEvent,
  EventGap,
  Enrolment: asInput(Enrolment),
  Enrolled,
  Introduction,
  Login: asInput(Login),
  Session,
  SignedRoster,
  DeviceState,
  StepQuestion,
  Accepted,
  Problem,
};

const securitySchemes = {
  operator: { type: "http", scheme: "bearer", description: "The admin key; not needed on loopback." },
  device: { type: "http", scheme: "bearer", description: "The token of a device's session." },
} as const;

/**
 * `/openapi.json`: an OpenAPI 3.1 document made of the very schemas that validate requests and serialise answers. Must
 * be registered before every route that it is to tell of.
 */
export const openapi = fastifyPlugin(async (app: FastifyInstance) => {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Tributary coordinator",
        version: `${protocolVersion}`,
        description: "Runs, devices and models of a federation. Errors are RFC 9457 problem documents.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      } as { title: string; version: string },
      servers: [{ url: "/", description: "This coordinator" }],
      components: { securitySchemes },
      tags: tags.map((name) => ({ name })),
    },
    transform: ({ schema, url, route }) => ({ schema: described(app, schema, url, route as RouteOptions), url }),
    transformObject: (found) => namedSchemas("openapiObject" in found ? found.openapiObject : found.swaggerObject),
  });

  let document: string | undefined;
  app.get(
    routes.openapi(),
    { schema: { summary: "This document", response: { 200: { type: "object", additionalProperties: true } } } },
    async (_request, reply) => {
      document ??= JSON.stringify(app.swagger());
      return reply
        .type("application/json")
        .serializer((text: string) => text)
        .send(document);
    },
  );
});

const tags = ["runs", "models", "events", "clients", "steps", "service"] as const;

function tagOf(url: string): (typeof tags)[number] {
  if (url.includes("/steps/")) return "steps";
  if (url.endsWith("/events")) return "events";
  if (/\/(models|blobs|rollback)\b/.test(url)) return "models";
  if (/^\/v1\/(clients|state)\b/.test(url)) return "clients";
  return url.startsWith("/v1/runs") ? "runs" : "service";
}

/** A route's schema with what the route itself says besides: who may call it, and how bytes and refusals travel. */
function described(
  app: FastifyInstance,
  schema: FastifySchema | undefined,
  url: string,
  route: RouteOptions,
): FastifySchema {
  // Pages and assets have no schema and are not part of the API.
  if (schema === undefined || schema.hide === true) return { hide: true };
  const given = schema.response as Record<string, object> | undefined;
  const { "4xx": _clientFault, "5xx": _ownFault, ...good } = given ?? {};
  const problem = { content: { "application/problem+json": { schema: Problem } } };
  const bytes = { content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } } };
  const takesBytes = schema.consumes?.includes("application/octet-stream") === true;
  const security = securityOf(app, route);
  return {
    ...schema,
    operationId: operationId(route.method as string, url),
    tags: [tagOf(url)],
    ...(security === undefined ? {} : { security }),
    ...(takesBytes ? { body: bytes } : {}),
    ...(schema.body === undefined ? {} : { body: asInput(schema.body as object) }),
    response: {
      ...(Object.keys(good).length === 0 ? { 200: { description: "The bytes", ...bytes } } : good),
      "4xx": { description: "Refused: the request is at fault", ...problem },
      "5xx": { description: "The coordinator cannot do it now", ...problem },
    },
  };
}

function securityOf(app: FastifyInstance, { onRequest }: RouteOptions) {
  const guards: unknown[] = onRequest === undefined ? [] : [onRequest].flat();
  if (guards.includes(app.operatorOnly)) return [{ operator: [] }];
  if (guards.includes(app.deviceOnly)) return [{ device: [] }];
  return guards.includes(app.knownOnly) ? [{ operator: [] }, { device: [] }] : undefined;
}

/** `GET /v1/runs/:run/rounds` as `getRunsRounds…`: stable, unique, and a name in any language. */
function operationId(method: string, url: string): string {
  const parts = url.split(/[/.]/).filter((part) => part !== "" && part !== "v1");
  const words = parts.map((part) => (part.startsWith(":") ? `by-${part.slice(1)}` : part)).join("-");
  return `${method.toLowerCase()}-${words}`.replace(/-+(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The document with each of the named schemas written once, under `components`. */
function namedSchemas<Document extends object>(document: Document): Document {
  const names = new Map(Object.entries(named).map(([name, schema]) => [JSON.stringify(plain(schema)), name]));
  const referring = (node: unknown, root = false): unknown => {
    if (typeof node !== "object" || node === null) return node;
    const name = root ? undefined : names.get(JSON.stringify(node));
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
    if (Array.isArray(node)) return node.map((item) => referring(item));
    return Object.fromEntries(Object.entries(node).map(([key, member]) => [key, referring(member)]));
  };
  const found = referring(plain(document)) as Document & { components?: object };
  const schemas = Object.fromEntries(
    Object.entries(named).map(([name, schema]) => [name, referring(plain(schema), true)]),
  );
  return { ...found, components: { ...found.components, schemas } };
}

/** A schema as whoever sends it may write it: what has a default may be left out. */
function asInput(schema: object): object {
  return mapObjects(schema, (node) => {
    const { required, properties } = node as {
      required?: string[];
      properties?: Record<string, { default?: unknown }>;
    };
    if (!Array.isArray(required) || properties === undefined) return node;
    const needed = required.filter((name) => properties[name]?.default === undefined);
    return { ...node, required: needed };
  });
}

/** A schema in one spelling: the plugin writes some of what TypeBox writes in another way. */
function plain(schema: object): object {
  return mapObjects(schema, (node) => {
    const spelled = Object.entries(node).map(([key, value]) => {
      const patterns: unknown[] = key === "patternProperties" ? Object.values(value as object) : [];
      if (patterns.length === 1) return ["additionalProperties", patterns[0]];
      return key === "const" ? ["enum", [value]] : [key, value];
    });
    return Object.fromEntries(spelled) as object;
  });
}

/** The same JSON with every object in it, inner ones first, replaced. */
function mapObjects(node: object, change: (object: object) => object): object {
  const inner = (value: unknown) => (typeof value === "object" && value !== null ? mapObjects(value, change) : value);
  if (Array.isArray(node)) return node.map(inner);
  return change(Object.fromEntries(Object.entries(node).map(([key, value]) => [key, inner(value)])));
}
