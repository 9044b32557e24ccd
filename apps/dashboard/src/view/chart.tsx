import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { count } from "../format.ts";
import { words } from "../words.ts";
import { LineSample, type LineStyle } from "./line-sample.tsx";
import { patternOf } from "./pattern.ts";

/** One line, or one layer of a stack, over the rounds. */
export interface Series extends LineStyle {
  readonly label: string;
  /** One for each x; null where there is nothing to draw. */
  readonly values: readonly (number | null)[];
  /** Series of one scale share an axis; at most two scales get one. */
  readonly scale: string;
  readonly text: (value: number) => string;
  /** Its axis begins at nought. */
  readonly fromZero?: boolean;
  /** Filled down to nought: layers of a stack are drawn highest first. */
  readonly filled?: boolean;
  /** Which pattern fills it. */
  readonly pattern?: number;
  /** Under the cursor the layer's own height, not the stack's. */
  readonly own?: readonly (number | null)[];
}

export interface ChartProps {
  readonly x: readonly number[];
  readonly series: readonly Series[];
  /** What a screen reader says in place of the drawing. */
  readonly described: string;
  readonly empty: string;
  readonly height?: number;
}

/** Lines over rounds, in the page's colours, with what is under the cursor beside each name. */
export function Chart({ x, series, described, empty, height = 220 }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const now = useRef(series);
  now.current = series;
  // The round under the cursor: where the mouse is, or where the arrow keys led.
  const pointed = useSignal<number | undefined>(undefined);
  const found = pointed.value === undefined ? -1 : x.indexOf(pointed.value);
  const shown = found < 0 ? x.length - 1 : found;
  const isEmpty = x.length === 0 || series.length === 0;
  const shape = series.map(({ label, scale, colour, dash }) => `${label}/${scale}/${colour}/${dash}`).join();

  // Drawn anew when the lines are others, not when they grow.
  useEffect(() => {
    const element = place.current;
    if (element === null || isEmpty) return;
    const schemes = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => matchMedia(query));
    const draw = () => {
      const data = plot.current?.data ?? dataOf(x, now.current);
      plot.current?.destroy();
      const onPoint = (round: number | undefined) => {
        pointed.value = round;
      };
      plot.current = new uPlot(optionsFor(element, { series: now.current, height, onPoint }), data, element);
    };
    draw();
    for (const scheme of schemes) scheme.addEventListener("change", draw);
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      for (const scheme of schemes) scheme.removeEventListener("change", draw);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [isEmpty, shape, height, pointed]);

  useEffect(() => {
    const round = pointed.peek();
    plot.current?.setData(dataOf(x, series));
    // A cursor that the keyboard set stays at its round; the mouse's stays under the mouse.
    if (round !== undefined && document.activeElement === place.current) {
      queueMicrotask(() => plot.current?.setCursor({ left: plot.current.valToPos(round, "x"), top: 1 }));
    }
  }, [x, series, pointed]);

  const point = (index: number) => {
    const round = x[index]!;
    plot.current?.setCursor({ left: plot.current.valToPos(round, "x"), top: 1 });
    pointed.value = round;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isEmpty || event.ctrlKey || event.altKey || event.metaKey) return;
    const end = x.length - 1;
    const page = Math.ceil(x.length / 10);
    const moves = {
      ...{ ArrowLeft: shown - 1, ArrowDown: shown - 1, ArrowRight: shown + 1, ArrowUp: shown + 1 },
      ...{ PageDown: shown - page, PageUp: shown + page, Home: 0, End: end },
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    point(Math.max(0, Math.min(end, moves[event.key as keyof typeof moves])));
  };
  const told = series.map(({ label, own, values, text }) => `${label} ${valueText((own ?? values)[shown], text)}`);

  return (
    <figure class="chart">
      {isEmpty ? (
        <div class="plot" style={{ height: `${height}px` }}>
          <p class="soft">{empty}</p>
        </div>
      ) : (
        // A slider over the rounds: what it stands at is read out.
        <div
          class="plot"
          ref={place}
          role="slider"
          tabIndex={0}
          aria-label={described}
          aria-valuemin={x[0]}
          aria-valuemax={x.at(-1)}
          aria-valuenow={x[shown]}
          aria-valuetext={`${words.atRound(count(x[shown]!))}: ${told.join(", ")}`}
          onKeyDown={onKeyDown}
          onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
          style={{ height: `${height}px` }}
        />
      )}
      <figcaption class="legend">
        {isEmpty ? null : <span class="at">{words.atRound(count(x[shown]!))}</span>}
        {series.map(({ label, colour, dash, own, values, text, filled, pattern = 0 }) => (
          <span key={`${label} ${colour}`}>
            {filled ? (
              <i class={`swatch pattern-${pattern}`} style={{ "--step": `var(${colour})` }} aria-hidden="true" />
            ) : (
              <LineSample colour={colour} {...(dash === undefined ? {} : { dash })} />
            )}
            {label} <b>{found < 0 ? lastText(own ?? values, text) : valueText((own ?? values)[found], text)}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function valueText(value: number | null | undefined, text: (value: number) => string): string {
  return value === null || value === undefined ? words.unknown.figure : text(value);
}

function lastText(values: readonly (number | null)[], text: (value: number) => string): string {
  const last = values.findLast((value) => value !== null);
  return valueText(last, text);
}

function dataOf(x: readonly number[], series: readonly Series[]): uPlot.AlignedData {
  return [[...x], ...series.map(({ values }) => [...values])];
}

interface Drawing {
  readonly series: readonly Series[];
  readonly height: number;
  readonly onPoint: (round: number | undefined) => void;
}

function optionsFor(element: HTMLElement, { series, height, onPoint }: Drawing): uPlot.Options {
  // As the browser computes it: a canvas does not know the names of a reader's own colours.
  const colour = (name: string) => {
    element.style.color = `var(${name})`;
    const { color } = getComputedStyle(element);
    element.style.color = "";
    return color;
  };
  const [soft, line] = [colour("--soft"), colour("--line")];
  const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const scales = [...new Set(series.map(({ scale }) => scale))];
  return {
    width: element.clientWidth,
    height,
    cursor: { y: false },
    legend: { show: false },
    hooks: {
      setCursor: [({ cursor, data }) => onPoint(typeof cursor.idx === "number" ? data[0][cursor.idx] : undefined)],
    },
    scales: { x: { time: false }, ...Object.fromEntries(scales.map((scale) => [scale, rangeOf(scale, series)])) },
    axes: [
      { ...axis, label: words.round, labelSize: 18, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000], size: 32 },
      ...scales.slice(0, 2).map((scale, index) => ({
        ...axis,
        scale,
        side: index === 0 ? (3 as const) : (1 as const),
        grid: index === 0 ? axis.grid : { show: false },
        // As wide as its longest number.
        size: (_: uPlot, ticks: readonly string[] | null) =>
          18 + 7 * Math.max(3, ...(ticks ?? []).map((tick) => tick.length)),
        values: (_: uPlot, ticks: number[]) => ticks.map(series.find((one) => one.scale === scale)!.text),
      })),
    ],
    series: [
      { label: words.round },
      ...series.map(({ label, scale, colour: name, dash, filled, pattern = 0, values }) => ({
        label,
        scale,
        stroke: colour(name),
        width: filled ? 1 : 2,
        ...(dash === undefined ? {} : { dash: [...dash] }),
        ...(filled ? { fill: patternOf(pattern, { area: colour(name), mark: colour("--card") }) } : {}),
        spanGaps: true,
        points: { show: !filled && values.length < 60, size: 6 },
      })),
    ],
  };
}

function rangeOf(scale: string, series: readonly Series[]): uPlot.Scale {
  const fromZero = series.some((one) => one.scale === scale && (one.filled === true || one.fromZero === true));
  return fromZero ? { range: (_, _min, max) => [0, max > 0 ? 1.05 * max : 1] } : {};
}
