import { join } from "node:path";

/** Real data sets beside this checkout; tests that read them skip where they are absent. */
export const sharedData = process.env["TRIBUTARY_SHARED_DATA"] ?? join(import.meta.dirname, "../../../shared/data");
