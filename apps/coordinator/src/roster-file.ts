import * as crypto from "node:crypto";
import { readFile } from "node:fs/promises";
import { ProtocolError } from "@tributary/protocol";
import { nodeCrypto, type OperatorRoster, openRoster } from "@tributary/secure-agg";

/** The operator's roster of a file, its signature checked. Throws an error that names the file and what to do. */
export async function rosterFrom(file: string): Promise<OperatorRoster> {
  const text = await readFile(file, "utf8");
  try {
    return await openRoster(nodeCrypto(crypto), JSON.parse(text));
  } catch (error) {
    if (!(error instanceof ProtocolError || error instanceof SyntaxError)) throw error;
    throw new ProtocolError(
      "roster_refused",
      `${file}: ${error.message}. Sign it with: tributary roster sign ${file} --key KEYFILE`,
      { cause: error },
    );
  }
}
