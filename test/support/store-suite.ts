import type { AttemptTimeline, RunId } from "@tributary/protocol";
import { describe, expect, test } from "vitest";
import type { Store } from "../../apps/coordinator/src/store/store.ts";
import { refusal } from "./refusal.ts";
import { clientNamed, enrolment, initialModel, newRun, roundCommit, run, sha } from "./store-records.ts";

/** A place that a store keeps its records in; opening it again, after closing, finds them. */
export interface StorePlace {
  open(): Promise<Store>;
}

/** What every Store must do. `place` makes a new empty place. */
export function storeSuite(name: string, place: () => Promise<StorePlace>): void {
  describe(name, () => {
    test("a new run has no rounds, no model and no reason", async () => {
      const store = await (await place()).open();
      await store.createRun(newRun());
      const none = { bytesUp: 0, bytesDown: 0, seconds: 0 };
      expect(await store.run(run)).toEqual({
        record: { ...newRun(), phase: "created", round: 0, modelVersion: 0, metrics: {}, totals: none },
        progress: null,
      });
      expect(await store.rounds(run)).toEqual([]);
      expect(await store.models(run)).toEqual([]);
      expect(await store.run("run-ffffffff" as RunId)).toBeUndefined();
      expect(await refusal(store.createRun(newRun()))).toBe("wrong_state");
      await store.close();
    });

    test("runs come oldest first", async () => {
      const store = await (await place()).open();
      const names = ["run-0000000c", "run-0000000a", "run-0000000b"] as RunId[];
      for (const [index, run] of names.entries()) await store.createRun(newRun({ run, createdAt: index }));
      expect((await store.runs()).map(({ record }) => record.run)).toEqual(names);
      await store.close();
    });

    test("a run's state is what was saved last; instants, metrics and totals stay until they are replaced", async () => {
      const store = await (await place()).open();
      await store.createRun(newRun());
      const progress = { round: 0, best: null, nested: [{ "": 1e-9 }] };
      const totals = { bytesUp: 2 ** 40, bytesDown: 1, seconds: 0.5 };
      await store.saveRunState(run, {
        phase: "paused",
        reason: "by hand",
        progress,
        startedAt: 9,
        metrics: { loss: 2 },
        totals,
      });
      expect(await store.run(run)).toMatchObject({
        record: { phase: "paused", reason: "by hand", startedAt: 9, metrics: { loss: 2 }, totals },
        progress,
      });
      await store.saveRunState(run, { phase: "stopped", progress: 1, endedAt: 10 });
      const saved = await store.run(run);
      expect(saved).toMatchObject({
        record: { phase: "stopped", startedAt: 9, endedAt: 10, metrics: { loss: 2 }, totals },
        progress: 1,
      });
      expect(saved?.record).not.toHaveProperty("reason");
      const unknown = store.saveRunState("run-ffffffff" as RunId, { phase: "failed", progress: null });
      expect(await refusal(unknown)).toBe("not_found");
      await store.close();
    });

    test("a run's problem is written with the next change, and stays until a state without it is saved", async () => {
      const stored = await place();
      const store = await stored.open();
      await store.createRun(newRun());
      const state = { phase: "gathering", progress: 1 } as const;
      const problem = { at: 7, text: "nobody came" };
      store.noteProblem(run, { at: 6, text: "before" });
      store.noteProblem(run, problem);
      await store.close();
      const again = await stored.open();
      expect((await again.run(run))?.record.problem).toEqual(problem);
      await again.saveRunState(run, { ...state, problem });
      expect((await again.run(run))?.record.problem).toEqual(problem);
      again.noteProblem(run, { at: 8, text: "of what the state has got over" });
      await again.saveRunState(run, state);
      await again.writeEvents();
      expect((await again.run(run))?.record).not.toHaveProperty("problem");
      await again.close();
    });

    test("an attempt is begun once, for the committed round or the next", async () => {
      const store = await begunRun(await place());
      expect(await store.lastAttempt(run, 1)).toBe(0);
      await store.beginAttempt(run, 1, 1);
      expect(await refusal(store.beginAttempt(run, 1, 1))).toBe("wrong_round");
      await store.beginAttempt(run, 1, 4);
      expect(await store.lastAttempt(run, 1)).toBe(4);
      expect(await refusal(store.beginAttempt(run, 1, 3))).toBe("wrong_round");
      expect(await refusal(store.beginAttempt(run, 2, 1))).toBe("wrong_round");
      await store.beginAttempt(run, 0, 1);
      expect(await refusal(store.beginAttempt("run-ffffffff" as RunId, 1, 1))).toBe("not_found");
      await store.close();
    });

    test("a committed round is there with its model, checkpoint, run state and contributions", async () => {
      const store = await begunRun(await place());
      for (const number of [1, 2, 3]) await store.enrol(enrolment(number));
      const commit = roundCommit(1);
      await store.beginAttempt(run, 1, 1);
      await store.commitRound(commit);
      expect(await store.round(run, 1)).toEqual(commit.record);
      expect(await store.model(run, 1)).toEqual(commit.model);
      expect(await store.checkpoint(run, 1)).toBe(commit.checkpoint);
      expect(await store.run(run)).toMatchObject({
        record: { phase: "gathering", round: 1, modelVersion: 1, metrics: { loss: 1 / 3 } },
        progress: { round: 1 },
      });
      expect((await store.clients()).map(({ contributions }) => contributions)).toEqual([1, 1, 0]);
      await store.close();
    });

    test("every survivor of a cohort of 1,200 gets its contribution", async () => {
      const store = await begunRun(await place());
      const ends = [1, 600, 1_199, 1_200];
      for (const number of ends) await store.enrol(enrolment(number));
      await store.beginAttempt(run, 1, 1);
      await store.commitRound(roundCommit(1, {}, 1_200));
      expect((await store.clients()).map(({ contributions }) => contributions)).toEqual([1, 1, 1, 0]);
      await store.close();
    });

    test("a refused commit leaves nothing behind", async () => {
      const store = await begunRun(await place());
      await store.enrol(enrolment(1));
      await store.beginAttempt(run, 1, 1);
      await store.commitRound(roundCommit(1));
      const before = [await store.run(run), await store.clients(), await store.models(run)];
      expect(await refusal(store.commitRound(roundCommit(1)))).toBe("wrong_round");
      expect(await refusal(store.commitRound(roundCommit(3)))).toBe("wrong_round");
      await store.beginAttempt(run, 2, 1);
      await store.beginAttempt(run, 2, 2);
      expect(await refusal(store.commitRound(roundCommit(2, { attempt: 1 })))).toBe("wrong_round");
      // The round fits, its model version is taken: the last statement fails, and takes the others with it.
      const torn = roundCommit(2, { attempt: 2, modelVersion: 1 });
      const model = { ...torn.model, version: 1 };
      await expect(store.commitRound({ ...torn, model })).rejects.toThrow();
      expect([await store.run(run), await store.clients(), await store.models(run)]).toEqual(before);
      expect(await store.rounds(run)).toHaveLength(1);
      await store.commitRound(roundCommit(2, { attempt: 2 }));
      await store.close();
    });

    test("a record that contradicts its model is refused", async () => {
      const store = await begunRun(await place());
      await store.beginAttempt(run, 1, 1);
      await expect(store.commitRound(roundCommit(1, { modelSha256: sha("another") }))).rejects.toThrow(
        "do not describe",
      );
      expect(await store.rounds(run)).toEqual([]);
      await store.close();
    });

    test("an evaluation joins its round's record and its model's metrics", async () => {
      const store = await begunRun(await place());
      await store.beginAttempt(run, 1, 1);
      const { record, model } = roundCommit(1);
      await store.commitRound({ ...roundCommit(1), record });
      const metrics = { accuracy: 0.97 };
      const judging = { bytesUp: 60, bytesDown: 40 };
      const state = { phase: "finished", progress: 7 } as const;
      await store.saveEvaluation({ run, round: 1, metrics, seconds: 2.5, judging, state });
      const seconds = { ...record.seconds, evaluating: 2.5 };
      expect(await store.round(run, 1)).toEqual({ ...record, judging, evaluation: metrics, seconds });
      expect(await store.model(run, 1)).toEqual({ ...model, metrics: { loss: 1, accuracy: 0.97 } });
      expect(await store.run(run)).toMatchObject({ record: { phase: "finished" }, progress: 7 });
      const missing = store.saveEvaluation({
        run,
        round: 2,
        metrics,
        seconds: 1,
        state: { phase: "failed", progress: 8 },
      });
      expect(await refusal(missing)).toBe("not_found");
      expect(await store.run(run)).toMatchObject({ record: { phase: "finished" }, progress: 7 });
      await store.close();
    });

    test("a run has one initial model", async () => {
      const store = await begunRun(await place());
      expect(await store.models(run)).toEqual([initialModel().model]);
      expect(await store.checkpoint(run, 0)).toBe(initialModel().checkpoint);
      expect(await refusal(store.initModel(initialModel()))).toBe("wrong_state");
      const elsewhere = { ...initialModel(), model: { ...initialModel().model, run: "run-ffffffff" as RunId } };
      expect(await refusal(store.initModel(elsewhere))).toBe("not_found");
      await store.close();
    });

    test("rounds come in order and in pages", async () => {
      const store = await begunRun(await place());
      for (let round = 1; round <= 12; round++) {
        await store.beginAttempt(run, round, 1);
        await store.commitRound(roundCommit(round));
      }
      const numbers = async (page?: { after?: number; limit?: number }) =>
        (await store.rounds(run, page)).map(({ round }) => round);
      expect(await numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
      expect(await numbers({ after: 8, limit: 3 })).toEqual([9, 10, 11]);
      expect(await numbers({ after: 12 })).toEqual([]);
      expect((await store.models(run)).map(({ version }) => version)).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
      ]);
      await store.close();
    });

    test("a history of many rounds is thinned, the newest always in it, evaluations too", async () => {
      const store = await begunRun(await place());
      for (let round = 1; round <= 10; round++) {
        await store.beginAttempt(run, round, 1);
        await store.commitRound(roundCommit(round));
      }
      const state = { phase: "paused", progress: 1 } as const;
      await store.saveEvaluation({ run, round: 10, metrics: { accuracy: 1 }, seconds: 2, state });
      const rounds = async (after: number, points: number) =>
        (await store.history(run, { after, points })).map(({ round }) => round);
      expect(await rounds(0, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(await rounds(0, 4)).toEqual([1, 5, 9, 10]);
      expect(await rounds(6, 2)).toEqual([7, 10]);
      expect(await rounds(10, 5)).toEqual([]);
      const part = { after: 3, before: 7, points: 3 };
      expect((await store.history(run, part)).map(({ round }) => round)).toEqual([4, 5, 6]);
      const { cohort: _c, survivors: _s, dropped: _d, ...figures } = roundCommit(10).record;
      const judged = { evaluation: { accuracy: 1 }, seconds: { ...figures.seconds, evaluating: 2 } };
      expect((await store.history(run, { after: 9, points: 1 }))[0]).toEqual({
        ...figures,
        ...judged,
        asked: 3,
        survived: 2,
        lost: [{ step: "update", reason: "late", clients: 1 }],
      });
      await store.close();
    });

    test("a thinned history keeps the judged rounds before others", async () => {
      const store = await begunRun(await place());
      for (let round = 1; round <= 23; round++) {
        await store.beginAttempt(run, round, 1);
        await store.commitRound(roundCommit(round));
        const judgement = { metrics: { accuracy: round / 100 }, seconds: 1 };
        const state = { phase: "gathering", progress: 1 } as const;
        if (round % 5 === 2) await store.saveEvaluation({ run, round, ...judgement, state });
      }
      const kept = async (points: number) => {
        const history = await store.history(run, { after: 0, points });
        expect(history.length).toBe(Math.min(points, 23));
        expect(history.at(-1)!.round).toBe(23);
        return history.filter(({ evaluation }) => evaluation !== undefined).map(({ round }) => round);
      };
      expect(await kept(23)).toEqual([2, 7, 12, 17, 22]);
      expect(await kept(7)).toEqual([2, 7, 12, 17, 22]);
      expect(await kept(5)).toEqual([2, 12, 22]);
      expect(await kept(1)).toEqual([]);
      await store.close();
    });

    test("attempts that ended are written with the next change: their timelines, and who was asked and answered", async () => {
      const stored = await place();
      const store = await begunRun(stored);
      for (const number of [1, 2]) await store.enrol(enrolment(number));
      const timelineOf = (attempt: number): AttemptTimeline => {
        const figures = { openedAt: 1, outcome: "done", cohort: 2, dropped: 1, steps: [], lanes: [] } as const;
        return { kind: "train", attempt, ...figures, steps: [], lanes: [] };
      };
      const end = (round: number, attempt: number) => {
        const asked = [clientNamed(1), clientNamed(2)];
        store.noteAttempt({ run, round, timeline: timelineOf(attempt), asked, answered: asked.slice(0, 1) });
      };
      end(1, 1);
      const all = { limit: 20 };
      expect(await store.timelines(run, 1, all)).toEqual({ known: 1, attempts: [timelineOf(1)] });
      end(1, 2);
      await store.writeEvents();
      end(1_001, 1);
      await store.close();
      const again = await stored.open();
      expect(await again.timelines(run, 1, all)).toEqual({ known: 0, attempts: [] });
      expect(await again.timelines(run, 1_001, all)).toEqual({ known: 1, attempts: [timelineOf(1)] });
      const counted = (await again.clients()).map(({ asked, answered }) => [asked, answered]);
      expect(counted).toEqual([
        [3, 3],
        [3, 0],
      ]);
      await again.close();
    });

    test("of a round's many attempts the newest are given, or those before one; a thousand are kept", async () => {
      const store = await begunRun(await place());
      const end = (attempt: number) => {
        const figures = { openedAt: 1, outcome: "abandoned", cohort: 0, dropped: 0 } as const;
        const timeline: AttemptTimeline = { kind: "train", attempt, ...figures, steps: [], lanes: [] };
        store.noteAttempt({ run, round: 1, timeline, asked: [], answered: [] });
      };
      const given = async (page: { before?: number; limit: number }) => {
        const { known, attempts } = await store.timelines(run, 1, page);
        return [known, attempts.map(({ attempt }) => attempt)];
      };
      for (let attempt = 1; attempt <= 8; attempt++) end(attempt);
      await store.writeEvents();
      // Two that are not written yet.
      end(9);
      end(10);
      expect(await given({ limit: 3 })).toEqual([10, [8, 9, 10]]);
      expect(await given({ before: 10, limit: 3 })).toEqual([10, [7, 8, 9]]);
      expect(await given({ before: 3, limit: 3 })).toEqual([10, [1, 2]]);
      end(1_008);
      await store.writeEvents();
      expect(await given({ limit: 5 })).toEqual([3, [9, 10, 1_008]]);
      await store.close();
    });

    test("a client is found by its id and its session's token, and revoked for good", async () => {
      const store = await (await place()).open();
      await store.enrol(enrolment(1));
      const { tokenHash, tokenExpiresAt, ...shown } = enrolment(1);
      const found = await store.clientByTokenHash(tokenHash, tokenExpiresAt - 1);
      const names = await store.clientNames([clientNamed(1), clientNamed(7)]);
      expect([...names]).toEqual([[clientNamed(1), "box 1"]]);
      const counts = { contributions: 0, asked: 0, answered: 0 };
      expect(found).toEqual({ ...shown, ...counts, lastSeenAt: shown.createdAt, revoked: false });
      expect(await store.client(clientNamed(1))).toEqual(found);
      expect(await store.clients()).toEqual([found]);
      expect(await store.clientByTokenHash(tokenHash, tokenExpiresAt)).toBeUndefined();
      await expect(store.enrol(enrolment(2, { tokenHash: enrolment(1).tokenHash }))).rejects.toThrow();
      await store.revoke(clientNamed(1));
      await store.revoke(clientNamed(1));
      expect(await store.clientByTokenHash(tokenHash, 0)).toMatchObject({ revoked: true });
      expect(await refusal(store.revoke(clientNamed(9)))).toBe("not_found");
      expect(await store.clientByTokenHash(sha("unknown"), 0)).toBeUndefined();
      await store.close();
    });

    test("a client that enrols again keeps its contributions, and has its new name and token", async () => {
      const store = await begunRun(await place());
      for (const number of [1, 2, 3]) await store.enrol(enrolment(number));
      await store.beginAttempt(run, 1, 1);
      await store.commitRound(roundCommit(1));
      const capabilities = undefined;
      await store.enrol(enrolment(1, { name: "renamed", capabilities, tokenHash: sha("second"), createdAt: 9 }));
      expect(await store.clientByTokenHash(enrolment(1).tokenHash, 0)).toBeUndefined();
      expect(await store.clientByTokenHash(sha("second"), 0)).toMatchObject({
        client: clientNamed(1),
        name: "renamed",
        contributions: 1,
        createdAt: enrolment(1).createdAt,
      });
      expect(await store.client(clientNamed(1))).not.toHaveProperty("capabilities");
      expect(await store.clients()).toHaveLength(3);
      expect(await refusal(store.enrol(enrolment(1, { publicKey: enrolment(2).publicKey })))).toBe("forbidden");
      await store.revoke(clientNamed(1));
      expect(await refusal(store.enrol(enrolment(1)))).toBe("forbidden");
      await store.close();
    });

    test("whose session a token is, asked for again, is never out of date", async () => {
      const store = await (await place()).open();
      await store.enrol(enrolment(1));
      const { tokenHash, tokenExpiresAt } = enrolment(1);
      const whose = (hash: string, at = 0) => store.session(hash, at);
      expect(await whose(sha("nobody's"))).toBeUndefined();
      for (const _ of ["looked up", "remembered"]) {
        expect(await whose(tokenHash)).toEqual({ client: clientNamed(1), revoked: false });
        expect(await whose(tokenHash, tokenExpiresAt)).toBeUndefined();
        expect(await whose(tokenHash, tokenExpiresAt - 1)).toMatchObject({ client: clientNamed(1) });
      }
      await store.startSession(clientNamed(1), { tokenHash: sha("second"), tokenExpiresAt });
      expect(await whose(tokenHash)).toBeUndefined();
      expect(await whose(sha("second"))).toMatchObject({ client: clientNamed(1) });
      await store.enrol(enrolment(1, { tokenHash: sha("third") }));
      expect(await whose(sha("second"))).toBeUndefined();
      expect(await whose(sha("third"))).toMatchObject({ revoked: false });
      // One that is looked up while it changes is not remembered as it was.
      const looked = whose(sha("third"));
      await store.revoke(clientNamed(1));
      await looked;
      expect(await whose(sha("third"))).toMatchObject({ revoked: true });
    });

    test("a session takes the place of the one before; a revoked client gets none", async () => {
      const store = await (await place()).open();
      await store.enrol(enrolment(1));
      const session = { tokenHash: sha("second"), tokenExpiresAt: 1_700_000_000_500 };
      await store.startSession(clientNamed(1), session);
      expect(await store.clientByTokenHash(enrolment(1).tokenHash, 0)).toBeUndefined();
      expect(await store.clientByTokenHash(sha("second"), 1_700_000_000_499)).toMatchObject({ name: "box 1" });
      expect(await refusal(store.startSession(clientNamed(9), session))).toBe("not_found");
      await store.revoke(clientNamed(1));
      expect(await refusal(store.startSession(clientNamed(1), session))).toBe("forbidden");
      await store.close();
    });

    test("changes made at the same time all happen, one after the other", async () => {
      const store = await begunRun(await place());
      const numbers = Array.from({ length: 50 }, (_, index) => index + 1);
      await Promise.all(numbers.map((number) => store.enrol(enrolment(number))));
      expect(await store.clients()).toHaveLength(50);
      const begun = await Promise.allSettled(numbers.slice(0, 9).map(() => store.beginAttempt(run, 1, 1)));
      expect(begun.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      const committed = await Promise.allSettled(numbers.slice(0, 9).map(() => store.commitRound(roundCommit(1))));
      expect(committed.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect(await store.client(clientNamed(1))).toMatchObject({ contributions: 1 });
      await store.close();
    });

    test("everything is there after closing and opening again", async () => {
      const stored = await place();
      const store = await begunRun(stored);
      await store.enrol(enrolment(1));
      await store.beginAttempt(run, 1, 1);
      await store.commitRound(roundCommit(1));
      await store.beginAttempt(run, 2, 1);
      await store.touch(clientNamed(1), 1_800_000_000_000);
      expect(await store.client(clientNamed(1))).toMatchObject({ lastSeenAt: 1_800_000_000_000 });
      const everything = async (store: Store) => [
        await store.runs(),
        await store.rounds(run),
        await store.models(run),
        await store.clients(),
        await store.lastAttempt(run, 2),
      ];
      const before = await everything(store);
      await store.close();
      const again = await stored.open();
      expect(await everything(again)).toEqual(before);
      await again.close();
    });
  });
}

async function begunRun(place: StorePlace): Promise<Store> {
  const store = await place.open();
  await store.createRun(newRun());
  await store.initModel(initialModel());
  return store;
}
