import type { RoundRecord } from "@tributary/protocol";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { words } from "../words.ts";

const height = 260;

/** Accuracy (left axis) and loss (right axis) by round. */
export function Curve({ rounds }: { rounds: readonly RoundRecord[] | undefined }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const judged = (rounds ?? []).filter(({ evaluation }) => evaluation !== undefined);
  const empty = judged.length === 0;

  useEffect(() => {
    const element = place.current;
    if (element === null || empty) return;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const draw = () => {
      const data = plot.current?.data ?? [[], [], []];
      plot.current?.destroy();
      plot.current = new uPlot(optionsFor(element), data, element);
    };
    draw();
    dark.addEventListener("change", draw);
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      dark.removeEventListener("change", draw);
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [empty]);

  useEffect(() => {
    const of = (name: string) => judged.map(({ evaluation }) => evaluation![name] ?? null);
    plot.current?.setData([judged.map(({ round }) => round), of("accuracy"), of("loss")]);
  });

  return (
    <div class="plot" ref={place} role="img" aria-label={words.curve.described}>
      {empty ? <p class="soft">{words.curve.empty}</p> : null}
    </div>
  );
}

function optionsFor(element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const [soft, line] = [colour("--soft"), colour("--line")];
  const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const point = { show: true, size: 6 };
  return {
    width: element.clientWidth,
    height,
    cursor: { y: false },
    legend: { live: false },
    scales: { x: { time: false }, accuracy: {}, loss: {} },
    axes: [
      { ...axis, label: words.curve.round, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000], size: 36 },
      {
        ...axis,
        scale: "accuracy",
        values: (_, ticks) => ticks.map((tick) => `${Math.round(1000 * tick) / 10} %`),
        size: 60,
      },
      { ...axis, scale: "loss", side: 1, grid: { show: false }, size: 56 },
    ],
    series: [
      { label: words.curve.round },
      { label: words.curve.accuracy, scale: "accuracy", stroke: colour("--accent"), width: 2, points: point },
      { label: words.curve.loss, scale: "loss", stroke: colour("--second"), width: 2, dash: [6, 4], points: point },
    ],
  };
}
