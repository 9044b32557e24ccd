import { type Random, seededRandom } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";

/** A way to deal a dataset's examples to clients. */
export type Partition =
  /** Equal blocks in the data's own order. */
  | { readonly scheme: "contiguous" }
  /** Equal blocks of a random order. */
  | { readonly scheme: "iid" }
  /** Equal blocks of the examples sorted by label. */
  | { readonly scheme: "sorted" }
  /** McMahan et al. 2017, section 3: sorted by label, cut into clients × shards pieces, `shards` random ones for each. */
  | { readonly scheme: "shards"; readonly shards: number }
  /** Hsu et al. 2019: each client's label distribution is drawn from a Dirichlet distribution, `alpha` in every class. */
  | { readonly scheme: "dirichlet"; readonly alpha: number }
  /** 90 % of a client's examples come from `classes` classes, dealt in turn so that all are covered, 10 % from the rest. */
  | { readonly scheme: "dominant"; readonly classes: number }
  /** Whole groups (a speaker's lines, a user's ratings), dealt in turn in the order in which they first occur. */
  | { readonly scheme: "natural" };

const schemes = "contiguous, iid, natural, sorted, shards:S, dirichlet:A, dominant:K";

/** A partition from its name, such as `iid`, `shards:2`, `dirichlet:0.5`. Throws `ProtocolError("bad_request")`. */
export function parsePartition(text: string): Partition {
  const [scheme = "", argument, ...rest] = text.split(":");
  const value = argument === undefined || argument.trim() === "" ? Number.NaN : Number(argument);
  const count = Number.isInteger(value) && value >= 1;
  if (rest.length === 0) {
    switch (scheme) {
      case "contiguous":
      case "iid":
      case "sorted":
      case "natural":
        if (argument === undefined) return { scheme };
        break;
      case "shards":
        if (count) return { scheme, shards: value };
        break;
      case "dirichlet":
        if (value > 0 && value < Number.POSITIVE_INFINITY) return { scheme, alpha: value };
        break;
      case "dominant":
        if (count) return { scheme, classes: value };
        break;
      default:
    }
  }
  throw new ProtocolError(
    "bad_request",
    `"${text}" is not a way to partition data; there are ${schemes} (S and K whole numbers from 1, A above 0).`,
  );
}

/**
 * The rows of each of `clients` clients, dealt by the examples' labels; where examples have no classes, their number does
 * for `contiguous`, `iid` and `natural`, which deals by `groups`, each example's. No row is given twice; `contiguous`, `iid`, `sorted`, `shards` and `dirichlet`
 * give every row. Throws `ProtocolError("bad_data")` where there are too few rows for the clients, or no classes.
 */
export function partition(
  how: Partition | string,
  labels: ArrayLike<number> | number,
  options: { clients: number; random: Random | number; groups?: ArrayLike<number> | undefined },
): Uint32Array[] {
  const scheme = typeof how === "string" ? parsePartition(how) : how;
  const { clients } = options;
  const random = typeof options.random === "number" ? seededRandom(options.random, "partition") : options.random;
  const rows = typeof labels === "number" ? labels : labels.length;
  if (!Number.isInteger(clients) || clients < 1 || rows < clients) {
    throw new ProtocolError(
      "bad_data",
      `${rows} examples cannot be dealt to ${clients} clients, one or more for each.`,
    );
  }
  const classes = () => {
    if (typeof labels !== "number") return labels;
    const detail = `"${scheme.scheme}" deals examples by their classes, and these have none; take contiguous or iid.`;
    throw new ProtocolError("bad_data", detail);
  };
  switch (scheme.scheme) {
    case "contiguous":
      return blocks(sequence(rows), clients);
    case "iid":
      return blocks(random.permutation(rows), clients);
    case "natural":
      return natural(options.groups, clients);
    case "sorted":
      return blocks(sortedByLabel(classes()), clients);
    case "shards":
      return shards(scheme.shards, classes(), { clients, random });
    case "dirichlet":
      return dirichlet(scheme.alpha, classes(), { clients, random });
    case "dominant":
      return dominant(scheme.classes, classes(), { clients, random });
  }
}

function natural(groups: ArrayLike<number> | undefined, clients: number): Uint32Array[] {
  if (groups === undefined) {
    const detail =
      '"natural" deals the examples of one speaker, user or group together, and this data does not say whose';
    throw new ProtocolError("bad_data", `${detail} they are; take contiguous or iid.`);
  }
  const dealt: number[][] = Array.from({ length: clients }, () => []);
  const clientOf = new Map<number, number>();
  for (let row = 0; row < groups.length; row++) {
    const group = groups[row]!;
    if (!clientOf.has(group)) clientOf.set(group, clientOf.size % clients);
    dealt[clientOf.get(group)!]!.push(row);
  }
  if (clientOf.size < clients) {
    throw new ProtocolError("bad_data", `${clientOf.size} groups of examples cannot be dealt to ${clients} clients.`);
  }
  return dealt.map((rows) => Uint32Array.from(rows));
}

interface Deal {
  readonly clients: number;
  readonly random: Random;
}

function shards(each: number, labels: ArrayLike<number>, { clients, random }: Deal): Uint32Array[] {
  const pieces = clients * each;
  if (labels.length < pieces) {
    throw new ProtocolError("bad_data", `${labels.length} examples do not make ${clients} × ${each} shards.`);
  }
  const cut = blocks(sortedByLabel(labels), pieces);
  const order = random.permutation(pieces);
  return Array.from({ length: clients }, (_, client) =>
    joined([...order.subarray(client * each, (client + 1) * each)].map((shard) => cut[shard]!)),
  );
}

/** Each client's share of each class is proportional to its own draw for that class, so that every row is dealt. */
function dirichlet(alpha: number, labels: ArrayLike<number>, { clients, random }: Deal): Uint32Array[] {
  const dealt: number[][] = Array.from({ length: clients }, () => []);
  const distributions = dealt.map(() => {
    const draws = rowsByLabel(labels).map(() => gamma(alpha, random));
    const sum = draws.reduce((a, b) => a + b, 0);
    // With a tiny alpha every draw can underflow: all mass is then on one class.
    if (sum === 0) draws[random.below(draws.length)] = 1;
    return draws.map((draw) => draw / (sum || 1));
  });
  rowsByLabel(labels).forEach((rows, label) => {
    const shuffled = shuffle(rows, random);
    const total = distributions.reduce((sum, own) => sum + own[label]!, 0);
    let cumulated = 0;
    let from = 0;
    dealt.forEach((own, client) => {
      cumulated += total === 0 ? 1 / clients : distributions[client]![label]! / total;
      const to = client === clients - 1 ? shuffled.length : Math.round(cumulated * shuffled.length);
      for (const row of shuffled.subarray(from, to)) own.push(row);
      from = Math.max(from, to);
    });
  });
  for (const own of dealt) {
    if (own.length > 0) continue;
    const richest = dealt.reduce((most, other) => (other.length > most.length ? other : most));
    own.push(richest.pop()!);
  }
  return dealt.map((own) => Uint32Array.from(own));
}

function dominant(classesEach: number, labels: ArrayLike<number>, { clients, random }: Deal): Uint32Array[] {
  const pools = rowsByLabel(labels).map((rows) => [...shuffle(rows, random)]);
  const each = Math.min(classesEach, pools.length);
  const own = Array.from({ length: clients }, (_, client) =>
    Array.from({ length: each }, (_, i) => (client * each + i) % pools.length),
  );
  const size = Math.floor(labels.length / clients);
  const wanted = Math.round(0.9 * size);
  // A class that several clients share is divided among them, less the tenth that others draw on.
  const users = pools.map((_, label) => own.filter((classes) => classes.includes(label)).length);
  const budget = pools.map((pool, label) => Math.floor((0.9 * pool.length) / Math.max(1, users[label]!)));
  const dealt = own.map((classes) =>
    classes.flatMap((label, i) => {
      const quota = Math.floor(wanted / each) + (i < wanted % each ? 1 : 0);
      return pools[label]!.splice(0, Math.min(quota, budget[label]!));
    }),
  );
  dealt.forEach((rows, client) => {
    const others = pools
      .map((_, label) => label)
      .filter((label) => each === pools.length || !own[client]!.includes(label));
    for (let left = Math.min(size - wanted, Math.round(rows.length / 9)); left > 0; left--) {
      const stocked = others.filter((label) => pools[label]!.length > 0);
      if (stocked.length === 0) break;
      rows.push(pools[stocked[random.below(stocked.length)]!]!.pop()!);
    }
  });
  if (dealt.some((rows) => rows.length === 0)) {
    throw new ProtocolError("bad_data", `${labels.length} examples are too few for ${clients} clients.`);
  }
  return dealt.map((rows) => Uint32Array.from(rows));
}

const sequence = (length: number) => Uint32Array.from({ length }, (_, i) => i);

/** Consecutive blocks whose lengths differ by at most one. */
function blocks(rows: Uint32Array, count: number): Uint32Array[] {
  const edge = (i: number) => Math.floor((i * rows.length) / count);
  return Array.from({ length: count }, (_, i) => rows.slice(edge(i), edge(i + 1)));
}

const sortedByLabel = (labels: ArrayLike<number>) => joined(rowsByLabel(labels));

/** The rows of each label that occurs, labels ascending. */
function rowsByLabel(labels: ArrayLike<number>): Uint32Array[] {
  const found = new Map<number, number[]>();
  for (let row = 0; row < labels.length; row++) {
    const rows = found.get(labels[row]!);
    if (rows === undefined) found.set(labels[row]!, [row]);
    else rows.push(row);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, rows]) => Uint32Array.from(rows));
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const whole = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

const shuffle = (rows: Uint32Array, random: Random) => random.permutation(rows.length).map((place) => rows[place]!);

/** A Gamma(shape, 1) variate: Marsaglia and Tsang 2000, with their boost for shapes below 1. */
function gamma(shape: number, random: Random): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < x * x * 0.5 + d - d * v + d * Math.log(v)) return d * v;
  }
}
