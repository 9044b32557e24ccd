import { type FederationEvent, Problem, routes } from "@tributary/protocol";
import type { FastifyInstance } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Federation } from "../federation.ts";
import type { Spool } from "../store/spool.ts";
import type { Store } from "../store/store.ts";

export interface MetricsOptions {
  readonly federation: Federation;
  readonly store: Store;
  readonly spool: Spool;
}

const secondsBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];

/** `/metrics` for Prometheus: what the federation does, and how the process bears it. */
export const metrics = fastifyPlugin(async (app: FastifyInstance, options: MetricsOptions) => {
  const { federation, store, spool } = options;
  const register = new Registry();
  collectDefaultMetrics({ register });
  const in_ = [register];

  const rounds = new Counter({
    name: "tributary_rounds_total",
    help: "Rounds by run and outcome: committed, or an attempt abandoned",
    labelNames: ["run", "outcome"],
    registers: in_,
  });
  const stepSeconds = new Histogram({
    name: "tributary_step_seconds",
    help: "Seconds from a step's question to its end",
    labelNames: ["kind", "step"],
    buckets: secondsBuckets,
    registers: in_,
  });
  const aggregationSeconds = new Histogram({
    name: "tributary_aggregation_seconds",
    help: "Seconds from a round's last answer to its commit",
    buckets: secondsBuckets,
    registers: in_,
  });
  const dropped = new Counter({
    name: "tributary_dropped_clients_total",
    help: "Clients that were asked and are not in the sum",
    labelNames: ["run"],
    registers: in_,
  });
  const bytes = new Counter({
    name: "tributary_http_bytes_total",
    help: "Bytes of HTTP bodies: up from clients, down to them",
    labelNames: ["direction"],
    registers: in_,
  });
  const refusals = new Counter({
    name: "tributary_refusals_total",
    help: "Refusals on REST, by code",
    labelNames: ["code"],
    registers: in_,
  });
  new Gauge({
    name: "tributary_connected_clients",
    help: "Devices with an open socket",
    registers: in_,
    collect() {
      this.set(federation.devices.count);
    },
  });
  new Gauge({
    name: "tributary_runs",
    help: "Runs by phase",
    labelNames: ["phase"],
    registers: in_,
    collect() {
      this.reset();
      for (const { phase } of federation.records()) this.inc({ phase });
    },
  });
  new Gauge({
    name: "tributary_spool_bytes",
    help: "Bytes of answers that are received but not summed yet",
    registers: in_,
    async collect() {
      this.set(await spool.bytes());
    },
  });

  const count = (event: FederationEvent) => {
    if (event.type === "round") {
      rounds.inc({ run: event.run, outcome: "committed" });
      aggregationSeconds.observe(event.record.seconds.aggregating);
    } else if (event.type === "abandoned" && event.kind === "train") {
      rounds.inc({ run: event.run, outcome: "abandoned" });
    } else if (event.type === "step-closed") {
      stepSeconds.observe({ kind: event.kind, step: event.step }, event.seconds);
    } else if (event.type === "dropped") dropped.inc({ run: event.run });
  };
  const stop = store.onEvents((events) => events.forEach(count));
  app.addHook("onClose", async () => {
    stop();
    register.clear();
  });

  app.addHook("onSend", async (_request, reply, payload) => {
    if (typeof payload === "string" && `${reply.getHeader("content-type")}`.startsWith("application/problem+json")) {
      refusals.inc({ code: (JSON.parse(payload) as Problem).code });
    }
    return payload;
  });
  app.addHook("onResponse", async (request, reply) => {
    bytes.inc({ direction: "up" }, Number(request.headers["content-length"] ?? 0));
    bytes.inc({ direction: "down" }, Number(reply.getHeader("content-length") ?? 0));
  });

  app.get(
    routes.metrics(),
    {
      onRequest: [app.operatorOnly],
      schema: {
        summary: "Prometheus metrics",
        response: { 200: { content: { "text/plain": { schema: { type: "string" } } } }, "4xx": Problem },
      },
    },
    async (_request, reply) => reply.type(register.contentType).send(await register.metrics()),
  );
});
