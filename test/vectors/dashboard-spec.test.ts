import { ProtocolError } from "@tributary/protocol";
import { expect, test } from "vitest";
import { placeOf } from "../../apps/dashboard/src/place.ts";
import { faultsIn, faultsOf } from "../../apps/dashboard/src/spec/faults.ts";
import { firstDraft } from "../../apps/dashboard/src/spec/first-draft.ts";

test("the form's first draft is a specification that the coordinator takes", () => {
  expect(faultsOf(firstDraft)).toEqual([]);
});

test("each fault is of the field that it names, whatever is written in there", () => {
  const odd = "b; cohort.size: b";
  expect(faultsOf({ ...firstDraft, cohort: { ...firstDraft.cohort, minimum: odd }, seed: odd })).toEqual([
    { path: "cohort.minimum", detail: `must be integer, found "${odd}"` },
    { path: "seed", detail: `must be integer, found "${odd}"` },
  ]);
  expect(faultsOf({ ...firstDraft, cohort: { size: 10, minimum: 2 } })).toEqual([
    { path: "cohort.minimum", detail: expect.stringMatching(/^2 devices hide nothing .*; or combine updates/) },
  ]);
  expect(faultsOf({ ...firstDraft, algorithm: { name: "a; b: c" } })).toEqual([
    { path: "algorithm.name", detail: expect.stringMatching(/^there is no algorithm "a; b: c"/) },
  ]);
});

test("what the coordinator names in a refusal comes whole; a refusal that names nothing is of the whole", () => {
  const faults = [{ path: "model.weights", detail: "nothing with this SHA-256 was uploaded" }];
  const sent = JSON.parse(JSON.stringify(ProtocolError.naming("bad_spec", faults).problem()));
  expect(sent.detail).toBe("model.weights: nothing with this SHA-256 was uploaded");
  expect(faultsIn(ProtocolError.from(sent))).toEqual(faults);
  expect(faultsIn(new Error("The coordinator does not answer."))).toEqual([
    { path: "", detail: "The coordinator does not answer." },
  ]);
});

test("a place is what its address says, and an address that says nothing is nowhere", () => {
  expect(placeOf("")).toEqual({ view: "runs" });
  expect(placeOf("#/runs/run-1")).toEqual({ view: "run", run: "run-1", tab: "overview" });
  expect(placeOf("#/runs/run-1/rounds")).toEqual({ view: "run", run: "run-1", tab: "rounds" });
  expect(placeOf("#/runs/run-1/rounds/12")).toEqual({ view: "round", run: "run-1", round: 12 });
  expect(placeOf("#/compare/a,b")).toEqual({ view: "compare", runs: ["a", "b"] });
  expect(placeOf("#/new/run-1")).toEqual({ view: "new", from: "run-1" });
  for (const wrong of ["#/x", "#/runs/a/b", "#/runs/a/rounds/0", "#/runs/a/rounds/1/2", "#/clients/a", "#/new/a/b"]) {
    expect(placeOf(wrong), wrong).toEqual({ view: "nowhere" });
  }
});
