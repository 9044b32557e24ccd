import type { Algorithm } from "@tributary/algorithm";
import { type Fault, ProtocolError, type RunSpec } from "@tributary/protocol";
import { topologyOf } from "@tributary/protocol/topology";
import { misplacedParts, owners } from "./belonging.ts";

/** What a schema cannot say of a specification: what contradicts, is out of place, or is its algorithm's own business. */
export function inconsistencies(spec: RunSpec, algorithm: Algorithm): Fault[] {
  const phrases = [...contradictions(spec), ...misplacedParts(spec, algorithm), ...(algorithm.faults?.(spec) ?? [])];
  return [...phrases.map(faultOf), ...modelFaults(spec, algorithm)];
}

/** The fault that a phrase such as `cohort.minimum: 3 is more than 2` tells of; one that begins otherwise is of it all. */
export function faultOf(phrase: string): Fault {
  const [, path, detail] = /^([a-z]\w*(?:\.\w+)*): (.*)$/is.exec(phrase) ?? [];
  return path === undefined || detail === undefined ? { path: "", detail: phrase } : { path, detail };
}

/** What is wrong with the layers, as far as it can be told without building them. */
function modelFaults({ model, data }: RunSpec, { name, ownModel }: Algorithm): Fault[] {
  const fault = (detail: string, path = "model") => [{ path, detail }];
  if (ownModel) return [];
  if (model === undefined) return fault(`missing; ${name} trains one, such as { "preset": "logistic" }`);
  const path = "topology" in model ? "model.topology" : "model.preset";
  try {
    topologyOf(model, data);
    return [];
  } catch (error) {
    if (error instanceof RangeError) return fault(`it is nested too deep (${error.message}).`, path);
    if (error instanceof ProtocolError) return fault(error.message, path);
    throw error;
  }
}

/** What each kind of data must say. */
function kindFaults(data: RunSpec["data"]): string[] {
  const { kind, shape, target, classes, vocabulary, users, items, normalise } = data;
  const faults: string[] = [];
  for (const [name, owner] of Object.entries(owners)) {
    if (kind === owner && data[name as keyof typeof owners] === undefined) {
      faults.push(`data.${name}: missing, which ${owner} needs`);
    }
  }
  if (vocabulary !== undefined) {
    const characters = new Set(vocabulary).size;
    if (characters !== [...vocabulary].length) faults.push("data.vocabulary: a character is in it twice");
    if (!vocabulary.includes("\n")) faults.push("data.vocabulary: has no newline, which begins every text");
    if (classes !== characters) faults.push(`data.classes: expected the vocabulary's ${characters}, found ${classes}`);
  }
  if (
    kind === "ratings" &&
    users !== undefined &&
    items !== undefined &&
    (shape.join() !== "2" || target !== "number")
  ) {
    faults.push(`data: ratings have shape [2] and the target number, found [${shape.join()}] and ${target}`);
  }
  const width = shape.reduce((product, size) => product * size, 1);
  for (const [name, values] of Object.entries(normalise ?? {})) {
    if (values.length === 1 || values.length === width) continue;
    faults.push(`data.normalise.${name}: expected 1 or ${width} numbers, found ${values.length}`);
  }
  if (normalise?.deviation.some((deviation) => deviation < 0)) faults.push("data.normalise.deviation: below 0");
  return faults;
}

/** Fields that contradict each other. */
function contradictions({ cohort, data, stop }: RunSpec): string[] {
  const faults: string[] = [];
  if (data.target === "class" && data.classes < 2) {
    faults.push(`data.classes: expected at least 2 where the target is a class, found ${data.classes}`);
  }
  faults.push(...kindFaults(data));
  if (data.target !== "class" && data.classes > 0) {
    faults.push(`data.classes: expected 0 where the target is ${data.target}, found ${data.classes}`);
  }
  const { size, fraction, minimum, goal, overSelect } = cohort;
  if ((size === undefined) === (fraction === undefined)) faults.push("cohort: give either size or fraction");
  if (size !== undefined && minimum > size) faults.push(`cohort.minimum: ${minimum} is more than cohort.size ${size}`);
  if (goal !== undefined && goal < minimum) faults.push(`cohort.goal: ${goal} is less than cohort.minimum ${minimum}`);
  if (goal !== undefined && size !== undefined && goal > Math.ceil(size * (overSelect ?? 1))) {
    faults.push(`cohort.goal: ${goal} is more than the ${Math.ceil(size * (overSelect ?? 1))} clients asked`);
  }
  const { target } = stop;
  if (target !== undefined && (target.atLeast === undefined) === (target.atMost === undefined)) {
    faults.push("stop.target: give either atLeast or atMost");
  }
  return faults;
}
