import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Enrolled, type Introduction, type Problem, routes, toBase64 } from "@tributary/protocol";
import { type Signer, signRoster } from "@tributary/secure-agg";
import { expect, test } from "vitest";
import { call } from "../support/coordinator-calls.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { enrolmentOf, freshChallenge, freshSigner } from "../support/device-identity.ts";

async function enrolled(signer: Signer, url: string) {
  const { body } = await call<Introduction>(url, `GET ${routes.identity(freshChallenge())}`);
  const json = await enrolmentOf(body, signer);
  return call<Enrolled & Problem>(url, `POST ${routes.clients()}`, { json });
}

const operator = freshSigner();
const [listed, stranger] = [freshSigner(), freshSigner()];

async function rosterFile(change: (roster: object) => object = (roster) => roster): Promise<string> {
  const file = join(await dataFolder(), "roster.json");
  const signed = await signRoster(operator, [{ name: "listed", publicKey: toBase64(listed.publicKey) }]);
  await writeFile(file, JSON.stringify(change(signed)));
  return file;
}

test("the devices on it are enrolled, others are refused with the key that is missing", async () => {
  const { url, operatorKey } = await localCoordinator({ rosterFile: await rosterFile() });
  expect(operatorKey).toBe(toBase64(operator.publicKey));
  const { status, body } = await enrolled(listed, url);
  expect(status).toBe(201);
  const refused = await enrolled(stranger, url);
  expect(refused).toMatchObject({ status: 403, body: { code: "forbidden" } });
  expect(refused.body.detail).toContain(toBase64(stranger.publicKey));
  const { token } = body;
  expect((await call(url, `GET ${routes.roster()}`, { token })).body).toMatchObject({
    members: [{ name: "listed" }],
  });
});

test("a roster that was changed after it was signed stops the start, and is named", async () => {
  const rosterPath = await rosterFile((roster) => ({ ...roster, members: [] }));
  await expect(localCoordinator({ rosterFile: rosterPath })).rejects.toThrow(new RegExp(`${rosterPath}.*signature`));
});

test("without a roster there is none to be had", async () => {
  const coordinator = await localCoordinator();
  const { body } = await enrolled(freshSigner(), coordinator.url);
  const { token } = body;
  expect(await call(coordinator.url, `GET ${routes.roster()}`, { token })).toMatchObject({ status: 404 });
});
