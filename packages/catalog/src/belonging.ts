import type { Algorithm } from "@tributary/algorithm";
import type { RunSpec } from "@tributary/protocol";

/** What decides which parts a specification has; each is undefined while it is not known. */
export interface Deciding {
  readonly algorithm: Pick<Algorithm, "name" | "ownModel"> | undefined;
  readonly kind: string | undefined;
}

/** What only one kind of data has, and must have. */
export const owners = { vocabulary: "text", users: "ratings", items: "ratings" } as const;

const ofOwner = (name: keyof typeof owners) => {
  return ({ kind }: Deciding) =>
    kind === owners[name] ? undefined : `belongs to ${owners[name]}; the data is ${kind}`;
};

/** The parts that only some specifications have, by path: why one has no place for it, undefined where it may be. */
export const noPlace: Readonly<Record<string, (deciding: Deciding) => string | undefined>> = {
  model: ({ algorithm }) => (algorithm?.ownModel ? `${algorithm.name} trains no layers; leave it out` : undefined),
  "data.vocabulary": ofOwner("vocabulary"),
  "data.users": ofOwner("users"),
  "data.items": ofOwner("items"),
  "data.normalise": ({ kind }) =>
    kind === "text" || kind === "ratings" ? `${kind} holds indices, not measurements` : undefined,
};

/** Those that a specification must have where it has a place for them. */
export const needed: ReadonlySet<string> = new Set(["model", ...Object.keys(owners).map((name) => `data.${name}`)]);

/** What a specification has and may not have, a phrase each. */
export function misplacedParts(spec: RunSpec, algorithm: Algorithm): string[] {
  return Object.entries(noPlace).flatMap(([path, why]) => {
    const [part, member] = path.split(".") as ["model"] | ["data", keyof RunSpec["data"]];
    const given = member === undefined ? spec[part] : spec.data[member];
    const reason = given === undefined ? undefined : why({ algorithm, kind: spec.data.kind });
    return reason === undefined ? [] : [`${path}: ${reason}`];
  });
}
