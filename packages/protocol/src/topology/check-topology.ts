import { faultText, ProtocolError } from "../errors.ts";
import { describeFaults } from "../parse.ts";
import type { DataSpec } from "../run-spec.ts";
import { approvedLayers } from "./approved-layers.ts";
import type { LayerTopology, Topology } from "./topology.ts";

const maximumTopologyBytes = 262_144;
const maximumLayers = 512;

/**
 * A topology that came from elsewhere, once it is known to hold nothing but approved layers (approved-layers.ts), one
 * input, and one output. Takes a model.json's `modelTopology`, also one wrapped in `model_config`.
 * Throws `ProtocolError("topology_not_approved")` that says what was found where.
 */
export function checkTopology(given: unknown): Topology {
  const size = JSON.stringify(given)?.length ?? 0;
  if (size > maximumTopologyBytes) {
    refuse(`the topology takes ${size} bytes; at most ${maximumTopologyBytes} are allowed`);
  }
  const outer = record(given, "the topology");
  const topology = record(outer["model_config"] ?? outer, "the topology");
  const className = topology["class_name"];
  if (className !== "Sequential" && className !== "Functional" && className !== "Model") {
    refuse(`class_name is ${show(className)}; expected "Sequential" or "Functional"`);
  }
  const config = record(topology["config"], "config");
  const layers = config["layers"];
  if (!Array.isArray(layers) || layers.length === 0 || layers.length > maximumLayers) {
    refuse(`config.layers must be a list of 1 to ${maximumLayers} layers`);
  }
  const checked = layers.map((layer: unknown, index) => checkLayer(layer, `config.layers[${index}]`));
  const name = typeof config["name"] === "string" ? config["name"].slice(0, 64) : "model";
  // A graph's layers are looked up by the name outside their configuration; where that is missing the library never ends.
  const named = checked.map((layer) => ({ ...layer, name: nameOf(layer) as string }));
  const approved: Topology =
    className === "Sequential"
      ? { class_name: className, config: { name, layers: checked.map(({ inbound_nodes: _, ...layer }) => layer) } }
      : { class_name: className, config: { name, layers: named, ...checkGraph(config, named) } };
  outputLayer(approved);
  return approved;
}

/** The layer that gives the model's output. Throws unless it is there. */
export function outputLayer(topology: Topology): LayerTopology {
  const { layers, output_layers: outputs } = topology.config;
  const name = outputs === undefined ? undefined : endpoint(outputs, "output_layers");
  const layer = name === undefined ? layers.at(-1)! : layers.find((candidate) => nameOf(candidate) === name);
  if (layer === undefined) refuse(`output_layers names ${show(name)}, which is not among the layers`);
  return layer;
}

/** Throws unless the model ends in a softmax where its target is a class, and in no softmax where it is a number. */
export function checkHead(topology: Topology, target: DataSpec["target"]): Topology {
  const layer = outputLayer(topology);
  const softmax = layer.class_name === "Softmax" || layer.config["activation"] === "softmax";
  if (softmax === (target === "class")) return topology;
  const found = `the output layer ${show(nameOf(layer))} (${layer.class_name}, activation ${show(layer.config["activation"])})`;
  return refuse(
    softmax
      ? `${found} ends in a softmax, but the run predicts a number; set its activation to "linear"`
      : `${found} does not end in a softmax; set its activation to "softmax"`,
  );
}

function checkLayer(given: unknown, where: string): LayerTopology {
  const layer = record(given, where);
  const className = layer["class_name"];
  if (typeof className !== "string" || !Object.hasOwn(approvedLayers, className)) {
    refuse(`${where} is ${show(className)}; approved are ${Object.keys(approvedLayers).join(", ")}`);
  }
  const config = record(layer["config"], `${where}.config`);
  const faults = describeFaults(approvedLayers[className]!, config);
  if (faults.length > 0) refuse(`${where}.config (${className}): ${faults.map(faultText).join("; ")}`);
  return {
    class_name: className,
    ...(typeof layer["name"] === "string" ? { name: layer["name"] } : {}),
    config: config as LayerTopology["config"],
    ...(layer["inbound_nodes"] === undefined
      ? {}
      : { inbound_nodes: checkInbound(layer["inbound_nodes"], `${where}.inbound_nodes`) }),
  };
}

/** A layer of a graph is used once: `[]` for the input, else one node of `[layer, 0, 0, {}]` entries. */
function checkInbound(given: unknown, where: string): [string, 0, 0, Record<string, never>][][] {
  if (!Array.isArray(given) || given.length > 1) refuse(`${where} must hold at most one node: layers are not shared`);
  return given.map((node: unknown) => {
    if (!Array.isArray(node)) refuse(`${where}[0] must be a list of [layer, 0, 0]`);
    return node.map((source: unknown) => {
      if (!Array.isArray(source) || typeof source[0] !== "string" || source[1] !== 0 || source[2] !== 0) {
        refuse(`${where}[0] holds ${show(source)}; expected [layer, 0, 0]`);
      }
      if (source[3] !== undefined && JSON.stringify(source[3]) !== "{}") {
        refuse(`${where}[0] passes arguments ${show(source[3])}; none are allowed`);
      }
      return [source[0], 0, 0, {}];
    });
  });
}

function checkGraph(config: Record<string, unknown>, layers: readonly LayerTopology[]) {
  const input = endpoint(config["input_layers"], "input_layers");
  const output = endpoint(config["output_layers"], "output_layers");
  const names = layers.map(nameOf);
  if (names.some((own) => typeof own !== "string")) refuse("a layer of the graph has no name");
  if (new Set(names).size < names.length) refuse("two layers bear the same name");
  for (const layer of layers) {
    for (const [source] of sourcesOf(layer)) {
      if (!names.includes(source)) refuse(`layer ${show(nameOf(layer))} reads ${show(source)}, which does not exist`);
      if (source === output) refuse(`layer ${show(nameOf(layer))} reads the output layer ${show(output)}`);
    }
  }
  refuseCycles(layers);
  return { input_layers: [[input, 0, 0]], output_layers: [[output, 0, 0]] };
}

const sourcesOf = (layer: LayerTopology) => (layer.inbound_nodes as [string][][] | undefined)?.flat() ?? [];

/** The library would build a cycle for ever. */
function refuseCycles(layers: readonly LayerTopology[]): void {
  const built = new Set<unknown>();
  for (let waiting = [...layers]; waiting.length > 0; ) {
    const ready = waiting.filter((layer) => sourcesOf(layer).every(([source]) => built.has(source)));
    if (ready.length === 0) refuse(`the layers ${waiting.map((layer) => show(nameOf(layer))).join(", ")} form a cycle`);
    for (const layer of ready) built.add(nameOf(layer));
    waiting = waiting.filter((layer) => !built.has(nameOf(layer)));
  }
}

/** Both `[["name", 0, 0]]` and `["name", 0, 0]` are in use. */
function endpoint(given: unknown, where: string): string {
  const list = Array.isArray(given) && typeof given[0] === "string" ? [given] : given;
  const only: unknown = Array.isArray(list) && list.length === 1 ? list[0] : undefined;
  if (Array.isArray(only) && typeof only[0] === "string") return only[0];
  return refuse(`config.${where} is ${show(given)}; expected one [layer, 0, 0]`);
}

const nameOf = (layer: LayerTopology) => layer.name ?? layer.config["name"];

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(`${where} must be an object`);
  return value as Record<string, unknown>;
}

const show = (value: unknown) => JSON.stringify(value)?.slice(0, 80) ?? "missing";

function refuse(detail: string): never {
  throw new ProtocolError("topology_not_approved", `The model is not one that a device builds: ${detail}.`);
}
