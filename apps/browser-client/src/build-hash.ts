/** SHA-256 (hexadecimal) of this page's `integrity.json`, which lists the SHA-256 of each of its files. */
export async function buildHash(): Promise<string> {
  const response = await fetch(new URL("integrity.json", document.baseURI), { cache: "no-cache" });
  if (!response.ok) throw new Error(`integrity.json: HTTP status ${response.status}`);
  const digest = await crypto.subtle.digest("SHA-256", await response.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
