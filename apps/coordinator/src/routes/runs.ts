import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { RunSpecSchema } from "@tributary/catalog";
import {
  ClientRecord,
  Problem,
  ProtocolError,
  RoundRecord,
  RoundSummary,
  RoundTimeline,
  RunCheck,
  RunId,
  RunRecord,
  type RunSpec,
  RunStanding,
  routes,
} from "@tributary/protocol";
import Type, { type Static } from "typebox";
import { clientRecords } from "../client-records.ts";
import type { Federation } from "../federation.ts";
import type { Store } from "../store/store.ts";

const ByRun = Type.Object({ run: RunId });
/** With `spec=false` each is a RunStanding. */
const WithSpec = Type.Object({ spec: Type.Optional(Type.Boolean()) });
const ShownRun = Type.Object({ ...RunStanding.properties, spec: Type.Optional(Type.Unknown()) });
const ByRound = Type.Object({ run: RunId, round: Type.Integer({ minimum: 1 }) });

/** Runs, their rounds and their clients: what an operator creates, steers and watches. */
export const runRoutes: FastifyPluginAsyncTypebox<{ federation: Federation; store: Store }> = async (app, options) => {
  const { federation, store } = options;
  const operators = { onRequest: [app.operatorOnly] };
  const read = { onRequest: [app.knownOnly] };

  /** A run with how many devices offer themselves for it now, and whether it hides their updates. */
  function shown(record: RunRecord): RunRecord {
    const { cohort, secureAggregation } = record.spec as RunSpec;
    const protection = secureAggregation === "required" ? "secure aggregation" : "not secure";
    return { ...record, devices: federation.devices.countFor(record.run, cohort.tags), protection };
  }

  /** As `shown`, and without its specification unless that is wanted. */
  function told(record: RunRecord, { spec: isWanted = true }: Static<typeof WithSpec>): Static<typeof ShownRun> {
    const { spec, ...standing } = shown(record);
    return isWanted ? { ...standing, spec } : standing;
  }

  app.post(
    routes.runs(),
    {
      ...operators,
      // The catalog parses the body: it fills in defaults and names every fault at once.
      attachValidation: true,
      schema: { summary: "Create a run", body: RunSpecSchema, response: { 201: RunRecord, "4xx": Problem } },
    },
    async (request, reply) => {
      const record = await federation.create(request.body);
      return reply.code(201).header("location", routes.run(record.run)).send(shown(record));
    },
  );

  app.post(
    routes.runCheck(),
    {
      ...operators,
      attachValidation: true,
      schema: {
        summary: "Whether a run could be created: refuses what creating it would refuse, and keeps nothing",
        body: RunSpecSchema,
        response: { 200: RunCheck, "4xx": Problem },
      },
    },
    async (request) => ({ spec: await federation.check(request.body) }),
  );

  app.get(
    routes.runs(),
    {
      ...read,
      schema: {
        summary: "All runs, oldest first",
        querystring: WithSpec,
        response: { 200: Type.Array(ShownRun), "4xx": Problem },
      },
    },
    async ({ query }) => federation.records().map((record) => told(record, query)),
  );

  app.get(
    routes.run(),
    {
      ...read,
      schema: {
        summary: "One run",
        params: ByRun,
        querystring: WithSpec,
        response: { 200: ShownRun, "4xx": Problem },
      },
    },
    async ({ params, query }) => told(federation.session(params.run).record, query),
  );

  for (const action of ["start", "pause", "resume", "stop"] as const) {
    app.post(
      routes.runAction(action),
      {
        ...operators,
        schema: { summary: `Make a run ${action}`, params: ByRun, response: { 200: RunRecord, "4xx": Problem } },
      },
      async ({ params }) => federation.session(params.run).command(action).then(shown),
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
        params: ByRound,
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
    routes.timeline(),
    {
      ...read,
      schema: {
        summary: "When which client did what at a round, by attempt: the newest, or those before one",
        params: ByRound,
        querystring: Type.Object({
          before: Type.Optional(Type.Integer({ minimum: 1 })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
        }),
        response: { 200: RoundTimeline, "4xx": Problem },
      },
    },
    async ({ params: { run, round }, query }) => federation.session(run).timeline(round, { limit: 5, ...query }),
  );

  app.get(
    routes.history(),
    {
      ...read,
      schema: {
        summary: "Committed rounds' figures without their members; of more than `points`, judged rounds first",
        params: ByRun,
        querystring: Type.Object({
          after: Type.Optional(Type.Integer({ minimum: 0 })),
          before: Type.Optional(Type.Integer({ minimum: 1 })),
          points: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_000 })),
        }),
        response: { 200: Type.Array(RoundSummary), "4xx": Problem },
      },
    },
    async ({ params, query }) =>
      store.history(federation.session(params.run).run, { after: 0, points: 2_000, ...query }),
  );

  app.get(
    routes.runClients(),
    {
      // With names and keys, which one device need not know of another.
      ...operators,
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
