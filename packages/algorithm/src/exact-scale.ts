import { ProtocolError, type RunSpec } from "@tributary/protocol";

/** The largest integer of an `exact` lane over the whole sum: 48 bits with sign (docs/secure-aggregation.md). */
const exactLimit = 2 ** 47 - 1;
/** What a run that samples a fraction of everyone present is taken to ask at most. */
const unknownCohort = 1_000;

/** The most clients whose contributions one round adds up. */
export function mostClients({ cohort }: RunSpec): number {
  const asked = cohort.size ?? cohort.population ?? unknownCohort;
  return Math.max(cohort.minimum, Math.ceil(asked * (cohort.overSelect ?? 1)));
}

/**
 * The binary places that an `exact` lane can have if no client adds more than `largest` to it, from 0 to 46; undefined
 * where not even whole numbers fit. Law: clients · largest · 2^places < 2^47.
 */
export function exactPlaces(spec: RunSpec, largest: number): number | undefined {
  const places = Math.floor(Math.log2(exactLimit / (mostClients(spec) * Math.max(1, largest))));
  return places < 0 ? undefined : Math.min(46, places);
}

/** A lane of sums to which no client adds more than `largest`, as finely as that allows. Throws `bad_spec`. */
export function exactLane(spec: RunSpec, name: string, { length, largest }: { length: number; largest: number }) {
  // In the clear nothing is rounded.
  const scaleBits = spec.secureAggregation === "none" ? 0 : exactPlaces(spec, largest);
  if (scaleBits !== undefined) return { name, length, encoding: { kind: "exact", scaleBits } } as const;
  throw new ProtocolError(
    "bad_spec",
    `algorithm: ${name} can grow to ${largest} a client, and ${mostClients(spec)} times that does not fit 47 bits; ` +
      "declare a smaller `largest` or `maximumRows`, or a smaller cohort",
  );
}
