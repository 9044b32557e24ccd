import { expect, test } from "vitest";
import { changed, chosen, type Draft, draftOf } from "../../apps/dashboard/src/spec/draft.ts";
import { faultsOf } from "../../apps/dashboard/src/spec/faults.ts";
import type { Field, Variants } from "../../apps/dashboard/src/spec/fields.ts";
import { firstDraft } from "../../apps/dashboard/src/spec/first-draft.ts";
import { formOf } from "../../apps/dashboard/src/spec/form.ts";
import { runSpecs } from "../support/run-specs.ts";

function unions(field: Field): Variants[] {
  const inner = "fields" in field ? field.fields.flatMap(unions) : [];
  return field.kind === "variants" ? [field, ...inner] : inner;
}

/** As somebody chooses in the form; undefined for none. */
function choose(draft: Draft, path: string, label: string | undefined): Draft {
  const union = unions(formOf(draft.spec)).find((candidate) => candidate.path === path)!;
  return chosen(
    draft,
    union,
    union.options.find((option) => option.label === label),
  );
}

const digits = draftOf(firstDraft);
const shown = (draft: Draft) =>
  (formOf(draft.spec) as Extract<Field, { kind: "group" }>).fields.map(({ path }) => path);

test("every algorithm can be chosen, and nothing is then to be mended about the model", () => {
  for (const { label } of unions(formOf(firstDraft)).find(({ path }) => path === "algorithm")!.options) {
    const draft = choose(digits, "algorithm", label);
    expect(faultsOf(draft.spec).filter(({ path }) => path.startsWith("model"))).toEqual([]);
    expect(shown(draft).includes("model")).toBe("model" in (draft.spec as object));
  }
});

test("the model waits while an algorithm is chosen that trains no layers, and one comes where there was none", () => {
  const mlp = changed(choose(digits, "model", "mlp"), "model.hidden", [20, 10]);
  const clusters = choose(mlp, "algorithm", "kmeans");
  expect(clusters.spec).not.toHaveProperty("model");
  expect(choose(clusters, "algorithm", "fedprox").spec).toMatchObject({ model: { preset: "mlp", hidden: [20, 10] } });
  const pasted = draftOf(runSpecs["kmeans"]);
  expect(shown(pasted)).not.toContain("model");
  expect(choose(pasted, "algorithm", "fedavg").spec).toMatchObject({ model: { preset: "logistic" } });
});

test("a model that an algorithm has no place for is shown until it is taken out", () => {
  const odd = draftOf({ ...runSpecs["kmeans"], model: { preset: "2nn" } });
  expect(faultsOf(odd.spec)).toEqual([{ path: "model", detail: "kmeans trains no layers; leave it out" }]);
  expect(shown(odd)).toContain("model");
  expect(choose(odd, "model", undefined).spec).toEqual(runSpecs["kmeans"]);
});

test("what two algorithms both know goes along from one to the other, and what one alone knows comes back with it", () => {
  const tuned = changed(changed(digits, "algorithm.learningRate", 0.05), "algorithm.epochs", 3);
  const prox = changed(choose(tuned, "algorithm", "fedprox"), "algorithm.proximal", 0.2);
  expect(prox.spec).toMatchObject({ algorithm: { name: "fedprox", learningRate: 0.05, epochs: 3, proximal: 0.2 } });
  // With the arrow keys one passes others on the way.
  const passed = ["cocoa", "fedsgd", "kmeans", "fedavg"].reduce(
    (draft, name) => choose(draft, "algorithm", name),
    prox,
  );
  expect(passed.spec).toEqual(tuned.spec);
  expect(choose(passed, "algorithm", "fedprox").spec).toEqual(prox.spec);
});

test("what was cleared does not come back, and what is at one algorithm's default takes on the other's", () => {
  const prox = choose(changed(digits, "algorithm.epochs", 3), "algorithm", "fedprox");
  const cleared = choose(changed(prox, "algorithm.epochs", undefined), "algorithm", "fedavg");
  expect(cleared.spec).toEqual(firstDraft);
  const explicit = changed(digits, "algorithm.clip", 0.5);
  expect(choose(explicit, "algorithm", "fednova").spec).toEqual({
    ...firstDraft,
    algorithm: { name: "fednova", learningRate: 0.1 },
  });
  const chosenClip = choose(changed(digits, "algorithm.clip", 0.4), "algorithm", "fednova");
  expect(chosenClip.spec).toMatchObject({ algorithm: { name: "fednova", clip: 0.4 } });
});

test("what was written beside a name that no algorithm has goes along to one that there is", () => {
  const misspelt = draftOf({ ...firstDraft, algorithm: { name: "fedavgg", learningRate: 0.3, epochs: 2, lr: 1 } });
  expect(choose(misspelt, "algorithm", "fedavg").spec).toMatchObject({
    algorithm: { name: "fedavg", learningRate: 0.3, epochs: 2 },
  });
});

test("what belongs to one kind of data waits while another is chosen", () => {
  const text = draftOf(runSpecs["bigrams"]);
  const images = changed(text, "data.kind", "images");
  expect(images.spec).not.toHaveProperty("data.vocabulary");
  expect(changed(images, "data.kind", "text").spec).toEqual({
    ...runSpecs["bigrams"],
    data: runSpecs["bigrams"]!["data"],
  });
});
