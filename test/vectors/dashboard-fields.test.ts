import { parseRunSpec, RunSpecSchema } from "@tributary/catalog";
import fc from "fast-check";
import Value from "typebox/value";
import { expect, test } from "vitest";
import { faultsOf } from "../../apps/dashboard/src/spec/faults.ts";
import { type Field, fieldOf, valueAt, withValue } from "../../apps/dashboard/src/spec/fields.ts";
import { firstDraft } from "../../apps/dashboard/src/spec/first-draft.ts";
import { formOf, schemaFor } from "../../apps/dashboard/src/spec/form.ts";
import { type Leaf, leafOf, typed, written } from "../../apps/dashboard/src/spec/leaf.ts";
import type { SchemaNode } from "../../apps/dashboard/src/spec/schema-node.ts";
import { runSpecs } from "../support/run-specs.ts";

/** Every field that can be typed into or chosen in, by its path. */
function leaves(field: Field): Leaf[] {
  return "fields" in field ? field.fields.flatMap(leaves) : [field];
}

function leafAt(spec: unknown, path: string): Leaf {
  return leaves(formOf(spec)).find((leaf) => leaf.path === path)!;
}

/** What the form makes of a specification that is chosen and typed into it, field by field, as its fields show it. */
function retyped(spec: unknown): unknown {
  const schema = schemaFor(spec);
  const into = (draft: unknown, field: Field): unknown => {
    const value = valueAt(spec, field.path);
    if (value === undefined) return draft;
    switch (field.kind) {
      case "group":
        return field.fields.reduce(into, draft);
      case "variants":
        return field.fields.reduce(into, withValue(schema, draft, { path: field.path, value: field.chosen!.start }));
      default:
        return withValue(schema, draft, { path: field.path, value: typed(field, written(field, value)) });
    }
  };
  return into({}, formOf(spec));
}

test.each(Object.entries(runSpecs))("a specification can be written in the form: %s", (_name, spec) => {
  expect(faultsOf(spec)).toEqual([]);
  expect(retyped(spec)).toEqual(spec);
  // And once more as the coordinator shows it, every default filled in.
  const parsed = parseRunSpec(spec);
  expect(parseRunSpec(retyped(parsed))).toEqual(parsed);
});

interface Branch {
  readonly path: string;
  readonly schema: SchemaNode;
}

/** Each branch of each union in a schema. */
function branchesIn(schema: SchemaNode, path = ""): Branch[] {
  const within = (schema.anyOf ?? [schema]).flatMap((branch) =>
    Object.entries(branch.properties ?? {}).flatMap(([name, property]) =>
      branchesIn(property, path === "" ? name : `${path}.${name}`),
    ),
  );
  return [...(schema.anyOf ?? []).map((branch) => ({ path, schema: branch })), ...within];
}

test("among the specifications that can be written is every branch that the schema has", () => {
  const parsed = Object.values(runSpecs).map((spec) => parseRunSpec(spec));
  const branches = branchesIn(RunSpecSchema as SchemaNode);
  expect(branches.length).toBeGreaterThan(40);
  const missed = branches.filter(({ path, schema }) =>
    parsed.every((spec) => !Value.Check(schema as never, valueAt(spec, path))),
  );
  expect(missed.map(({ path, schema }) => `${path} ${JSON.stringify(schema).slice(0, 80)}`)).toEqual([]);
});

const leaf = (schema: SchemaNode) => leafOf("x", schema, true);
const leavesOf = {
  number: leaf({ type: "number" }),
  numbers: leaf({ type: "array", items: { type: "number" } }),
  words: leaf({ type: "array", items: { type: "string" } }),
  text: leaf({ type: "string", maxLength: 10_000 }),
  json: leaf({ type: "array", items: { type: "array" } }),
};
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));

test("what a field shows is read as the value that it shows", () => {
  const values: [Leaf, fc.Arbitrary<unknown>][] = [
    [leavesOf.number, finite],
    [leavesOf.numbers, fc.array(finite)],
    [leavesOf.words, fc.array(fc.string({ unit: "grapheme" }))],
    [leavesOf.words, fc.array(fc.stringMatching(/^[a, "[\]\\\n]*$/))],
    [leavesOf.text, fc.string({ minLength: 1 })],
    [leavesOf.json, fc.array(fc.array(finite))],
  ];
  for (const [field, arbitrary] of values) {
    fc.assert(
      fc.property(arbitrary, (value) => {
        expect(typed(field, written(field, value))).toEqual(value);
      }),
    );
  }
});

test("what is typed becomes the value that is meant; what is none stays for the schema to refuse", () => {
  const { number, numbers, words, json } = leavesOf;
  expect(typed(number, " 0.5 ")).toBe(0.5);
  expect(typed(number, "many")).toBe("many");
  expect(typed(number, "")).toBeUndefined();
  expect(typed(numbers, "28, 28,1")).toEqual([28, 28, 1]);
  expect(typed(numbers, "28 x 28")).toEqual(["28 x 28"]);
  expect(typed(words, "gpu, lab,")).toEqual(["gpu", "lab"]);
  expect(typed(words, '"a,b", " c "')).toEqual(["a,b", " c "]);
  expect(typed(words, '"a,b", " c "x')).toEqual(["a,b", '" c "x']);
  expect(typed(json, "{")).toBe("{");
  expect(typed(json, '{"a":1}')).toEqual({ a: 1 });
});

test("a value that is wrong is shown as it is, so that it can be told from a right one", () => {
  expect(written(leavesOf.number, "20")).toBe('"20"');
  expect(written(leavesOf.numbers, ["28"])).toBe('["28"]');
  expect(written(leavesOf.words, "lab")).toBe('"lab"');
});

test("numbers beside words, counts beside names, yes and no: each way of a union can be typed", () => {
  const batchSize = leafAt(firstDraft, "algorithm.batchSize");
  expect([typed(batchSize, "20"), typed(batchSize, "all")]).toEqual([20, "all"]);
  const users = leafAt(runSpecs["scaffold"], "data.users");
  expect([typed(users, "20"), typed(users, "ann, bob"), typed(users, '["5"]')]).toEqual([20, ["ann", "bob"], ["5"]]);
  const unitRows = leafAt(runSpecs["cocoa"], "algorithm.unitRows");
  expect([typed(unitRows, "true"), typed(unitRows, "false")]).toEqual([true, false]);
  expect(leafAt(runSpecs["bigrams"], "data.vocabulary").kind).toBe("text");
  expect(leafAt(runSpecs["kmeans from centres"], "algorithm.init.centres").kind).toBe("json");
});

test("a draft of whatever shape has a form", () => {
  const odd = { toString: 1 };
  const drafts = [{ model: "2nn" }, { model: 5 }, { model: null, algorithm: [], data: 7 }, [], null, "spec", 5];
  for (const spec of [
    ...drafts,
    { name: odd, seed: odd, cohort: { tags: [odd] }, data: { kind: odd, shape: [odd] } },
  ]) {
    const fields = leaves(formOf(spec));
    expect(fields.map(({ path }) => path)).toContain("cohort.tags");
    for (const field of fields) expect(written(field, valueAt(spec, field.path))).toEqual(expect.any(String));
  }
  const models = (model: unknown) => fieldOf("", schemaFor({}), { model });
  const { fields } = models("2nn") as Extract<Field, { kind: "group" }>;
  expect(fields.find(({ path }) => path === "model")).toMatchObject({
    kind: "variants",
    chosen: undefined,
    fields: [],
  });
});

test("what nobody chose is not chosen: a union without a default is none of its branches", () => {
  const server = (algorithm: object) => {
    const form = formOf({ ...firstDraft, algorithm }) as Extract<Field, { kind: "group" }>;
    const group = form.fields.find(({ path }) => path === "algorithm") as Extract<Field, { kind: "variants" }>;
    return group.fields.find(({ path }) => path === "algorithm.server");
  };
  expect(server({ name: "fedsgd" })).toMatchObject({ chosen: undefined, fields: [] });
  expect(server({ name: "fedavg" })).toMatchObject({ chosen: { label: "sgd" } });
  expect(server({ name: "fedsgd", server: {} })).toMatchObject({ chosen: { label: "sgd" } });
});

test("what is put at a path is found there, and taking it away leaves the rest as it was", () => {
  const schema = schemaFor(firstDraft);
  const paths = leaves(formOf(firstDraft)).map(({ path }) => path);
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.integer(), (path, value) => {
      const changed = withValue(schema, firstDraft, { path, value });
      expect(valueAt(changed, path)).toBe(value);
      const cleared = withValue(schema, changed, { path, value: undefined });
      expect(valueAt(cleared, path)).toBeUndefined();
      const [first] = path.split(".");
      for (const [name, member] of Object.entries(firstDraft)) {
        if (name !== first) expect(valueAt(cleared, name)).toBe(member);
      }
    }),
  );
});

test("a group that may be left out goes with the last of its members; one that must be there stays", () => {
  const put = (path: string, value: unknown, spec: unknown = firstDraft) =>
    withValue(schemaFor(spec), spec, { path, value });
  const targeted = put("stop.target.metric", "loss");
  expect(valueAt(put("stop.target.metric", undefined, targeted), "stop")).toEqual(firstDraft.stop);
  expect(valueAt(put("stop.rounds", undefined), "stop")).toEqual({});
  expect(put("deadlines.joinMs", undefined, put("deadlines.joinMs", 5))).toEqual(firstDraft);
});

test("a member of a branch that stands by default brings along what the branch is known by", () => {
  const spec = withValue(schemaFor(firstDraft), firstDraft, { path: "evaluation.everyRounds", value: 5 });
  expect(valueAt(spec, "evaluation")).toEqual({ on: "clients", everyRounds: 5 });
  expect(faultsOf(spec)).toEqual([]);
});

test("a field is there for the kinds of data that it belongs to, and where it holds something all the same", () => {
  const fields = (data: object) =>
    leaves(formOf({ ...firstDraft, data })).flatMap(({ path }) => (path.startsWith("data.") ? [path.slice(5)] : []));
  const always = ["kind", "shape", "target", "classes"];
  expect(fields({ kind: "images" })).toEqual([...always, "normalise.mean", "normalise.deviation"]);
  expect(fields({ kind: "text" })).toEqual([...always, "vocabulary"]);
  expect(fields({ kind: "ratings" })).toEqual([...always, "users", "items"]);
  expect(fields({ kind: "text", users: 5 })).toEqual([...always, "vocabulary", "users"]);
});

test("what an algorithm or a kind of data needs is not called optional", () => {
  const isOptional = (spec: unknown, path: string) => {
    const { fields } = formOf(spec) as Extract<Field, { kind: "group" }>;
    const found = [...fields, ...leaves(formOf(spec))].find((field) => field.path === path);
    return (found as { isOptional?: boolean }).isOptional;
  };
  expect(isOptional(runSpecs["bigrams"], "data.vocabulary")).toBe(false);
  expect(isOptional(runSpecs["scaffold"], "data.users")).toBe(false);
  expect(isOptional({ ...firstDraft, model: undefined }, "model")).toBe(false);
  expect(isOptional({ ...runSpecs["kmeans"], model: { preset: "2nn" } }, "model")).toBe(true);
});

test("a run of an algorithm without layers has no field for a model, and is judged nowhere unless it says where", () => {
  const unions = (spec: unknown) => {
    const { fields } = formOf(spec) as Extract<Field, { kind: "group" }>;
    return Object.fromEntries(
      fields.flatMap((field) => (field.kind === "variants" ? [[field.path, field.chosen?.label]] : [])),
    );
  };
  const { evaluation: _, ...clusters } = runSpecs["kmeans"]!;
  expect(unions(clusters)).toEqual({ algorithm: "kmeans", evaluation: "nowhere" });
  expect(unions(firstDraft)).toEqual({ algorithm: "fedavg", model: "2nn", evaluation: "clients" });
  expect(unions({ ...clusters, model: { preset: "2nn" } })).toMatchObject({ model: "2nn" });
});
