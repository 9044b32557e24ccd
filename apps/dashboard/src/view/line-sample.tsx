/** How a line is drawn: its colour, and its dashes for who does not tell colours apart. */
export interface LineStyle {
  /** A custom property of the stylesheet: `--series-1` and so on. */
  readonly colour: string;
  readonly dash?: readonly number[];
}

const colours = 6;
const dashes = [undefined, [8, 4], [2, 3], [10, 3, 2, 3], [14, 6]] as const;

/** The n-th line's style: no two of the first thirty are alike, and neighbours differ in both colour and dashes. */
export function lineStyle(index: number): LineStyle {
  const dash = dashes[index % dashes.length];
  return { colour: `--series-${1 + (index % colours)}`, ...(dash === undefined ? {} : { dash }) };
}

/** A short piece of a line, beside its name. */
export function LineSample({ colour, dash }: LineStyle) {
  return (
    <svg class="line-sample" viewBox="0 0 32 8" aria-hidden="true">
      <line x1="0" y1="4" x2="32" y2="4" style={{ stroke: `var(${colour})` }} stroke-dasharray={dash?.join(" ")} />
    </svg>
  );
}
