import { RunSpecSchema } from "@tributary/catalog";
import fc from "fast-check";
import { expect, test } from "vitest";
import { placeOf } from "../../apps/dashboard/src/place.ts";
import { faultsOf, splitFaults } from "../../apps/dashboard/src/spec/faults.ts";
import {
  type Field,
  fieldOf,
  type SchemaNode,
  typed,
  valueAt,
  withValue,
} from "../../apps/dashboard/src/spec/fields.ts";
import { firstDraft } from "../../apps/dashboard/src/spec/first-draft.ts";

test("the form's first draft is a specification that the coordinator takes", () => {
  expect(faultsOf(firstDraft)).toEqual([]);
});

test("a refusal is split into a fault for each field that it names; the rest goes on with the one before", () => {
  expect(
    splitFaults('run specification: cohort.size: must be >= 1, found 0; stop: give "a; b"; seed: missing'),
  ).toEqual([
    { path: "cohort.size", detail: "must be >= 1, found 0" },
    { path: "stop", detail: 'give "a; b"' },
    { path: "seed", detail: "missing" },
  ]);
  expect(splitFaults("cohort.minimum: 2 hide nothing; or combine updates in the clear")).toEqual([
    { path: "cohort.minimum", detail: "2 hide nothing; or combine updates in the clear" },
  ]);
  expect(splitFaults("The coordinator does not answer.")).toEqual([
    { path: "", detail: "The coordinator does not answer." },
  ]);
});

/** Every field that can be typed into, by its path. */
function leaves(field: Field): string[] {
  return "fields" in field ? field.fields.flatMap(leaves) : [field.path];
}

test("every part of the specification's schema has a field, and each branch of a union its own", () => {
  const of = (draft: unknown) => leaves(fieldOf("", RunSpecSchema as SchemaNode, draft));
  expect(of(firstDraft)).toEqual(
    expect.arrayContaining([
      ...["name", "algorithm.learningRate", "algorithm.server.momentum", "model.weights", "data.shape"],
      ...["cohort.size", "cohort.tags", "deadlines.trainMs", "secureAggregation", "secure.rule"],
      ...["evaluation.everyRounds", "stop.rounds", "stop.target.metric", "seed"],
    ]),
  );
  expect(of({ model: { preset: "mlp" } })).toContain("model.hidden");
  expect(of({ model: { topology: {} } })).toContain("model.topology");
  expect(of({ evaluation: { on: "coordinator" } })).toContain("evaluation.data");
});

test("what is put at a path is found there, and taking it away leaves the rest as it was", () => {
  const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("."));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom("a", "b", "c"), fc.integer()), path, fc.integer(), (draft, at, value) => {
      const changed = withValue(draft, at, value);
      expect(valueAt(changed, at)).toBe(value);
      expect(valueAt(withValue(changed, at, undefined), at)).toBeUndefined();
      const [first] = at.split(".");
      for (const name of Object.keys(draft)) {
        if (name !== first) expect(valueAt(changed, name)).toBe(draft[name]);
      }
    }),
  );
});

test("a group whose last member is taken away is gone too", () => {
  const stop = { rounds: 3 };
  const targeted = withValue({ stop }, "stop.target.metric", "loss");
  expect(withValue(targeted, "stop.target.metric", undefined)).toEqual({ stop });
});

test("what is typed becomes the value that is meant; what is none stays for the schema to refuse", () => {
  expect(typed("number", " 0.5 ")).toBe(0.5);
  expect(typed("number", "many")).toBe("many");
  expect(typed("number", "")).toBeUndefined();
  expect(typed("numbers", "28, 28,1")).toEqual([28, 28, 1]);
  expect(typed("numbers", "28 x 28")).toEqual(["28 x 28"]);
  expect(typed("words", "gpu, lab,")).toEqual(["gpu", "lab"]);
  expect(typed("json", "{")).toBe("{");
  expect(typed("json", '{"a":1}')).toEqual({ a: 1 });
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
