/** Whether the long tests run, too: `npm run test:long`. */
export const long = process.env["TRIBUTARY_LONG"] === "1";

/** A long test's name says what it needs where it is skipped. */
export const longName = (name: string) => (long ? name : `${name} (needs npm run test:long)`);
