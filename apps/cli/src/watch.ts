import { setTimeout as sleep } from "node:timers/promises";
import { isOver, ProtocolError, type RoundRecord, type RunRecord, routes } from "@tributary/protocol";
import type { Rest } from "./rest.ts";

/** What a watcher hears: a round, once its evaluation is known (if it is to have one), and every change of phase. */
export type RunNews =
  | { readonly type: "round"; readonly round: RoundRecord }
  | { readonly type: "run"; readonly run: RunRecord };

const retryMs = 1_000;

/**
 * Follows a run until it is over: every round in order, each once. Its events say when to look; what there is to see
 * comes from REST, so nothing depends on how long events are kept. A broken stream is opened again, also while the
 * coordinator restarts; the first connection must succeed.
 */
export async function* watchRun(rest: Rest, run: string): AsyncGenerator<RunNews> {
  const seen = { after: 0, shown: "" };
  for (let opened = false; ; ) {
    try {
      for await (const _ of looks(rest, run)) {
        opened = true;
        let over = false;
        for await (const news of newsSince(rest, run, seen)) {
          yield news;
          over ||= news.type === "run" && isOver(news.run.phase);
        }
        if (over) return;
      }
    } catch (error) {
      if (!opened || (error instanceof ProtocolError && !passing(error))) throw error;
    }
    await sleep(retryMs);
  }
}

/** Gives something whenever there may be news: once when the stream is open, then at each event that shows. */
async function* looks(rest: Rest, run: string): AsyncGenerator<void> {
  const telling = new Set(["created", "phase", "round", "evaluation", "abandoned", "decline", "join", "leave", "gap"]);
  const stop = new AbortController();
  let onOpen = () => {};
  const opening = new Promise<void>((resolve) => {
    onOpen = resolve;
  });
  const events = rest.events(routes.runEvents(run), { signal: stop.signal, onOpen });
  let next = events.next();
  try {
    await Promise.race([opening, next]);
    yield;
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = events.next();
      if (telling.has(value.event)) yield;
    }
  } finally {
    stop.abort();
    next.catch(() => undefined);
  }
}

/** What has come about since `seen`, which moves on. */
async function* newsSince(rest: Rest, run: string, seen: { after: number; shown: string }): AsyncGenerator<RunNews> {
  const record = await rest.get<RunRecord>(routes.run(run));
  const over = isOver(record.phase);
  for await (const round of roundsAfter(rest, run, seen.after)) {
    // The newest round's evaluation may still be under way; every earlier one is final. A round is on disk a moment
    // before its run says so.
    const pending = round.round >= record.round && !over && record.phase !== "paused" && round.evaluation === undefined;
    if (pending) break;
    seen.after = round.round;
    yield { type: "round", round };
  }
  const text = `${coarse(record.phase)}:${record.reason ?? ""}`;
  if (text !== seen.shown && (!over || seen.after >= record.round)) {
    seen.shown = text;
    yield { type: "run", run: record };
  }
}

const pageLength = 100;

/** Every committed round after `after`, page by page: a round of ten thousand clients is half a megabyte. */
export async function* roundsAfter(rest: Rest, run: string, after: number): AsyncGenerator<RoundRecord> {
  for (let last = after; ; ) {
    const page = await rest.get<RoundRecord[]>(`${routes.rounds(run)}?after=${last}&limit=${pageLength}`);
    yield* page;
    if (page.length < pageLength) return;
    last = page.at(-1)!.round;
  }
}

/** Whether a failure may mend itself: no answer, or a coordinator that is just stopping. */
function passing({ code }: ProtocolError): boolean {
  return code === "coordinator_unreachable" || code === "server_restarting" || code === "internal";
}

/** The phases that alternate many times a round count as one. */
function coarse(phase: RunRecord["phase"]): string {
  return phase === "collecting" || phase === "aggregating" || phase === "evaluating" || phase === "gathering"
    ? "running"
    : phase;
}
