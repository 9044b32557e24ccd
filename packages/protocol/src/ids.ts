import Type from "typebox";

declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

/** One run: a model trained with one algorithm. */
export type RunId = Id<"run">;
/** One device, as the coordinator knows it: `client-` and the first 32 hexadecimal digits of its key's SHA-256. */
export type ClientId = Id<"client">;
/** Lower-case hexadecimal SHA-256 of some bytes: the name under which a blob is stored and fetched. */
export type Sha256 = Id<"sha256">;

export const RunId = Type.Unsafe<RunId>(Type.String({ pattern: "^run-[a-z0-9]{8,32}$" }));
export const ClientId = Type.Unsafe<ClientId>(Type.String({ pattern: "^client-[a-z0-9]{8,64}$" }));
export const Sha256 = Type.Unsafe<Sha256>(Type.String({ pattern: "^[0-9a-f]{64}$" }));
