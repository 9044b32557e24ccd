import type { ComponentChildren } from "preact";
import { figureText } from "../figures.ts";
import { exactInstant, instant } from "../format.ts";
import { words } from "../words.ts";

/** In place of what is not known, with why. */
export function Unknown({ why }: { why: string }) {
  return (
    <span class="unknown" title={why}>
      <span aria-hidden="true">—</span>
      <span class="unseen">{why}</span>
    </span>
  );
}

/** A figure that a round may not have reported. */
export function Figure({ name, value }: { name: string; value: number | undefined }) {
  return value === undefined ? <Unknown why={words.unknown.figure} /> : figureText(name, value);
}

/** An instant: as it is written in few words, exactly under the mouse, and for machines. */
export function Moment({ at, children = instant(at) }: { at: number; children?: ComponentChildren }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={exactInstant(at)}>
      {children}
    </time>
  );
}
