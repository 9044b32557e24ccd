import type { StepAddress } from "./messages.ts";

/**
 * Every path of the REST API. Called without arguments, a function gives the route's pattern (`/v1/runs/:run`); with
 * them, the path of one resource.
 */
export const routes = {
  runs: () => "/v1/runs",
  runCheck: () => "/v1/runs/check",
  run: (run = ":run") => `/v1/runs/${run}`,
  runAction: (action: "start" | "pause" | "resume" | "stop", run = ":run") => `/v1/runs/${run}/${action}`,
  rounds: (run = ":run") => `/v1/runs/${run}/rounds`,
  round: (run = ":run", round: number | string = ":round") => `/v1/runs/${run}/rounds/${round}`,
  timeline: (run = ":run", round: number | string = ":round") => `/v1/runs/${run}/rounds/${round}/timeline`,
  history: (run = ":run") => `/v1/runs/${run}/history`,
  runClients: (run = ":run") => `/v1/runs/${run}/clients`,
  models: (run = ":run") => `/v1/runs/${run}/models`,
  model: (run = ":run", version: number | string = ":version") => `/v1/runs/${run}/models/${version}`,
  modelWeights: (run = ":run", version: number | string = ":version") =>
    `/v1/runs/${run}/models/${version}/weights.bin`,
  modelState: (run = ":run", version: number | string = ":version") => `/v1/runs/${run}/models/${version}/state.json`,
  modelJson: (run = ":run", version: number | string = ":version") => `/v1/runs/${run}/models/${version}/model.json`,
  rollback: (run = ":run") => `/v1/runs/${run}/rollback`,
  events: () => "/v1/events",
  runEvents: (run = ":run") => `/v1/runs/${run}/events`,
  uploadModel: () => "/v1/models",
  blob: (sha256 = ":sha256") => `/v1/blobs/${sha256}`,
  identity: (challenge?: string) =>
    challenge === undefined ? "/v1/identity" : `/v1/identity?challenge=${encodeURIComponent(challenge)}`,
  sessions: () => "/v1/sessions",
  roster: () => "/v1/roster",
  clients: () => "/v1/clients",
  client: (client = ":client") => `/v1/clients/${client}`,
  state: () => "/v1/state",
  question: (address?: StepAddress, client = ":client") => `${step(address)}/questions/${client}`,
  answer: (address?: StepAddress, client = ":client") => `${step(address)}/answers/${client}`,
  health: () => "/healthz",
  ready: () => "/readyz",
  metrics: () => "/metrics",
  openapi: () => "/openapi.json",
  docs: () => "/docs",
  dashboard: () => "/",
} as const;

function step(address?: StepAddress): string {
  const at = address ?? { run: ":run", round: ":round", attempt: ":attempt", step: ":step" };
  return `/v1/runs/${at.run}/rounds/${at.round}/attempts/${at.attempt}/steps/${at.step}`;
}
