import type { Graph } from "@tributary/secure-agg";

/** Who is corrupt, who uploaded, and what each honest member was told and answers. */
export interface Situation {
  readonly graph: Graph;
  readonly threshold: number;
  readonly uploaders: ReadonlySet<number>;
  readonly corrupt: ReadonlySet<number>;
  /** The survivors that an honest member reveals for, or undefined if it reveals nothing. */
  readonly view: (member: number) => ReadonlySet<number> | undefined;
}

/** Which secrets the coordinator can rebuild with its accomplices: b (self masks) and s (all pair masks) by member. */
export function rebuilt({ graph, threshold, uploaders, corrupt, view }: Situation) {
  const known = { seeds: new Set<number>(corrupt), keys: new Set<number>(corrupt) };
  for (const member of uploaders) {
    let [seeds, keys] = [0, 0];
    for (const holder of graph.holders(member)) {
      const told = corrupt.has(holder) ? undefined : view(holder);
      // An accomplice gives both kinds; an honest holder one at most.
      if (corrupt.has(holder) || told?.has(member)) seeds++;
      if (corrupt.has(holder) || (told !== undefined && !told.has(member))) keys++;
    }
    if (seeds >= threshold) known.seeds.add(member);
    if (keys >= threshold) known.keys.add(member);
  }
  return known;
}

/**
 * The sets of honest members whose sum the coordinator can take out of the masked vectors. A combination of uploads is
 * free of masks if it leaves out everyone whose b is unknown and gives both ends of every unknown pair mask the same
 * factor: so it is constant on the components of the unknown pair masks, and those components are the answer.
 */
export function openSums(situation: Situation): number[][] {
  const { graph, uploaders, corrupt } = situation;
  const { seeds, keys } = rebuilt(situation);
  const seen = new Set<number>();
  const open: number[][] = [];
  for (const start of uploaders) {
    if (seen.has(start) || corrupt.has(start)) continue;
    const component = [start];
    seen.add(start);
    for (const member of component) {
      if (keys.has(member)) continue;
      for (const peer of graph.peers(member)) {
        if (seen.has(peer) || !uploaders.has(peer) || keys.has(peer)) continue;
        seen.add(peer);
        component.push(peer);
      }
    }
    if (component.every((member) => seeds.has(member))) open.push(component);
  }
  return open;
}

/**
 * The same by linear algebra: the number of independent mask-free combinations of honest uploads is the number of
 * uploads less the rank of the matrix of their unknown masks, here modulo a prime.
 */
export function openSumsByRank(situation: Situation): number {
  const { graph, uploaders, corrupt } = situation;
  const { seeds, keys } = rebuilt(situation);
  const honest = [...uploaders].filter((member) => !corrupt.has(member));
  const prime = 65_521;
  const columns = new Map<string, number>();
  const column = (name: string) => {
    const at = columns.get(name) ?? columns.size;
    columns.set(name, at);
    return at;
  };
  const rows = honest.map((member) => {
    const row = new Map<number, number>();
    if (!seeds.has(member)) row.set(column(`b${member}`), 1);
    for (const peer of graph.peers(member)) {
      if (!uploaders.has(peer) || keys.has(member) || keys.has(peer)) continue;
      const [low, high] = member < peer ? [member, peer] : [peer, member];
      row.set(column(`${low},${high}`), member < peer ? 1 : prime - 1);
    }
    return row;
  });
  let rank = 0;
  const pivots: { column: number; row: Map<number, number> }[] = [];
  for (const row of rows) {
    for (const pivot of pivots) {
      const factor = row.get(pivot.column) ?? 0;
      if (factor === 0) continue;
      for (const [at, value] of pivot.row) {
        const next = ((row.get(at) ?? 0) + (prime - factor) * value) % prime;
        if (next === 0) row.delete(at);
        else row.set(at, next);
      }
    }
    const first = row.entries().next().value;
    if (first === undefined) continue;
    const [at, value] = first;
    const inverse = inverseModulo(value, prime);
    for (const [key, one] of row) row.set(key, (one * inverse) % prime);
    pivots.push({ column: at, row });
    rank++;
  }
  return rows.length - rank;
}

/** Fermat: value^(prime − 2). */
function inverseModulo(value: number, prime: number): number {
  let [result, base] = [1, value];
  for (let exponent = prime - 2; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = (result * base) % prime;
    base = (base * base) % prime;
  }
  return result;
}
