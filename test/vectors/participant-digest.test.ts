import { expect, test } from "vitest";
import { contentDigest, hex, sha256 } from "../../packages/participant/src/digest.ts";

test('Content-Digest is RFC 9530\'s, appendix B.1: {"hello": "world"} and a newline', async () => {
  const body = new TextEncoder().encode('{"hello": "world"}\n');
  expect(contentDigest(await sha256(body))).toBe("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
});

test("SHA-256 in hexadecimal is FIPS 180's of abc", async () => {
  const digest = await sha256(new TextEncoder().encode("abc"));
  expect(hex(digest)).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
