import { expect, test } from "vitest";
import { changed } from "../../apps/dashboard/src/spec/draft.ts";
import { firstDraft } from "../../apps/dashboard/src/spec/first-draft.ts";
import { textOf, withDraft, withText, writingOf } from "../../apps/dashboard/src/spec/writing.ts";

test("JSON stays as it was typed, finished or not, until the form changes what it says", () => {
  const typed = withText(writingOf(firstDraft), '{"name":  "x"}');
  expect(typed.draft.spec).toEqual({ name: "x" });
  const unfinished = withText(typed, '{"name":  "y", ');
  expect(unfinished.json?.fault).toMatch(/JSON/);
  expect(unfinished.draft.spec).toEqual({ name: "x" });
  expect(textOf({ ...unfinished, isJson: false })).toBe('{"name":  "y", ');
  const changedInForm = withDraft(unfinished, changed(unfinished.draft, "name", "z"));
  expect(JSON.parse(textOf(changedInForm))).toEqual({ name: "z" });
});

test("JSON may begin with a byte order mark, as it may for the coordinator", () => {
  const { draft, json } = withText(writingOf({}), `\uFEFF${JSON.stringify(firstDraft)}`);
  expect(draft.spec).toEqual(firstDraft);
  expect(json?.fault).toBeUndefined();
});
