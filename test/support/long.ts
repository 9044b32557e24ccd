/** Whether the long tests run, too: `npm run test:long`. */
export const long = process.env["TRIBUTARY_LONG"] === "1";
