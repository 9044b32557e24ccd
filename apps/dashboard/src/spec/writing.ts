import { type Draft, draftOf } from "./draft.ts";

/** What an operator is writing, in a form or as JSON. Kept for as long as the page is open. */
export interface Writing {
  readonly draft: Draft;
  readonly isJson: boolean;
  /** The JSON as it was typed and why it is none, until something is changed in the form. */
  readonly json: { readonly text: string; readonly fault: string | undefined } | undefined;
}

export const writingOf = (spec: unknown): Writing => ({ draft: draftOf(spec), isJson: false, json: undefined });

/** The text to go on with as JSON. */
export function textOf({ json, draft }: Writing): string {
  return json?.text ?? JSON.stringify(draft.spec, null, 2);
}

/** After something was changed in the form, which from then on says it all. */
export function withDraft(writing: Writing, draft: Draft): Writing {
  return { ...writing, draft, json: undefined };
}

/** After the text was changed. What is no JSON yet leaves the draft at what it last said. */
export function withText(writing: Writing, text: string): Writing {
  try {
    // As the coordinator reads it: a byte order mark is no part of it.
    const draft = draftOf(JSON.parse(text.replace(/^\uFEFF/, "")));
    return { ...writing, draft, json: { text, fault: undefined } };
  } catch (error) {
    return { ...writing, json: { text, fault: (error as Error).message } };
  }
}
