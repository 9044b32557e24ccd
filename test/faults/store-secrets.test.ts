import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hashToken, matchesHash, mintToken, operatorSecrets } from "../../apps/coordinator/src/secrets.ts";
import { dataFolder } from "../support/data-folder.ts";

test("tokens carry 256 random bits behind their kind, and are known by their hash alone", () => {
  const tokens = Array.from({ length: 100 }, () => mintToken("tribdev"));
  expect(new Set(tokens).size).toBe(100);
  for (const token of tokens) expect(token).toMatch(/^tribdev_[A-Za-z0-9_-]{43}$/);
  const [token, other] = tokens as [string, string];
  expect(hashToken(token)).toBe(createHash("sha256").update(token).digest("hex"));
  expect(matchesHash(token, hashToken(token))).toBe(true);
  expect(matchesHash(other, hashToken(token))).toBe(false);
  expect(matchesHash(token, "")).toBe(false);
  expect(matchesHash("", hashToken(token))).toBe(false);
});

test("the operator's secrets are shown once and kept as hashes that only their owner can read", async () => {
  const folder = join(await dataFolder(), "new");
  const first = await operatorSecrets(folder);
  const { adminKey, joinToken } = first.minted!;
  expect(matchesHash(adminKey, first.adminKeyHash)).toBe(true);
  expect(matchesHash(joinToken, first.joinTokenHash)).toBe(true);
  const file = join(folder, "secrets.json");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const kept = await readFile(file, "utf8");
  expect(kept).not.toContain(adminKey.slice(8));
  expect(kept).not.toContain(joinToken.slice(9));
  const { minted: _, ...hashes } = first;
  expect(await operatorSecrets(folder)).toEqual(hashes);
});

test.each(["", "{", "null", "[]", '{"adminKeyHash":"no hash","joinTokenHash":1}'])(
  "a secrets file that holds %j is named and left alone, never replaced",
  async (content) => {
    const folder = await dataFolder();
    const file = join(folder, "secrets.json");
    await writeFile(file, content);
    await expect(operatorSecrets(folder)).rejects.toThrow(`${file} does not hold two token hashes`);
    expect(await readFile(file, "utf8")).toBe(content);
  },
);
