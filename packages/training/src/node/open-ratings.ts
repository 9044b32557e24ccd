import { readRatings } from "../data/ratings.ts";
import { readText, within } from "./files.ts";
import { type OpenedData, opened } from "./opened.ts";

/** Opens a file of ratings, each user's a group. */
export async function openRatings(path: string): Promise<OpenedData> {
  const { dataset, groups, users, items } = await within(path, async () => readRatings(await readText(path)));
  const found = opened("ratings", dataset, { groups, name: path });
  return { ...found, data: { ...found.data, users, items } };
}
