import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { RunSpecSchema } from "@tributary/catalog";
import { ClientRecord, Problem, ProtocolError, RoundRecord, RunId, RunRecord, routes } from "@tributary/protocol";
import Type from "typebox";
import { clientRecords } from "../client-records.ts";
import type { Federation } from "../federation.ts";
import type { Store } from "../store/store.ts";

const ByRun = Type.Object({ run: RunId });

/** Runs, their rounds and their clients: what an operator creates, steers and watches. */
export const runRoutes: FastifyPluginAsyncTypebox<{ federation: Federation; store: Store }> = async (app, options) => {
  const { federation, store } = options;
  const write = { onRequest: [app.operatorOnly] };
  const read = { onRequest: [app.knownOnly] };

  app.post(
    routes.runs(),
    {
      ...write,
      // The catalog parses the body: it fills in defaults and names every fault at once.
      attachValidation: true,
      schema: { summary: "Create a run", body: RunSpecSchema, response: { 201: RunRecord, "4xx": Problem } },
    },
    async (request, reply) => {
      const record = await federation.create(request.body);
      return reply.code(201).header("location", routes.run(record.run)).send(record);
    },
  );

  app.get(
    routes.runs(),
    { ...read, schema: { summary: "All runs, oldest first", response: { 200: Type.Array(RunRecord) } } },
    async () => federation.records(),
  );

  app.get(
    routes.run(),
    { ...read, schema: { summary: "One run", params: ByRun, response: { 200: RunRecord, "4xx": Problem } } },
    async ({ params }) => federation.session(params.run).record,
  );

  for (const action of ["start", "pause", "resume", "stop"] as const) {
    app.post(
      routes.runAction(action),
      {
        ...write,
        schema: { summary: `Make a run ${action}`, params: ByRun, response: { 200: RunRecord, "4xx": Problem } },
      },
      async ({ params }) => federation.session(params.run).command(action),
    );
  }

  app.get(
    routes.rounds(),
    {
      ...read,
      schema: {
        summary: "Committed rounds, in order",
        params: ByRun,
        querystring: Type.Object({
          after: Type.Optional(Type.Integer({ minimum: 0 })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
        }),
        response: { 200: Type.Array(RoundRecord), "4xx": Problem },
      },
    },
    async ({ params, query }) => store.rounds(federation.session(params.run).run, { limit: 1000, ...query }),
  );

  app.get(
    routes.round(),
    {
      ...read,
      schema: {
        summary: "One committed round",
        params: Type.Object({ run: RunId, round: Type.Integer({ minimum: 1 }) }),
        response: { 200: RoundRecord, "4xx": Problem },
      },
    },
    async ({ params }) => {
      const record = await store.round(federation.session(params.run).run, params.round);
      if (record === undefined) throw new ProtocolError("not_found", `Round ${params.round} is not committed.`);
      return record;
    },
  );

  app.get(
    routes.runClients(),
    {
      ...read,
      schema: {
        summary: "The clients that offer themselves for a run now",
        params: ByRun,
        response: { 200: Type.Array(ClientRecord), "4xx": Problem },
      },
    },
    async ({ params }) => {
      const { run, spec } = federation.session(params.run);
      const present = new Set(federation.devices.presentFor(run, spec.cohort.tags));
      return (await clientRecords(store, federation.devices)).filter(({ client }) => present.has(client));
    },
  );
};
