import Type, { type Static } from "typebox";

/** What a device says that it can do, for the operator to see: nothing is decided by it, and none of it is proved. */
export const Capabilities = Type.Object(
  {
    /** What it runs on: `Node 20.20.0 on linux x64`, `browser (Chrome)`. */
    platform: Type.String({ minLength: 1, maxLength: 64 }),
    /** Logical processors that it may use. */
    processors: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_536 })),
    /** Memory that it may use, in bytes. */
    memoryBytes: Type.Optional(Type.Integer({ minimum: 0 })),
    /** The graphics processor that the engine calculates on, as its driver names it. */
    adapter: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  },
  { additionalProperties: false },
);
export type Capabilities = Static<typeof Capabilities>;
