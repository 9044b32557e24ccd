import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { count } from "../format.ts";
import { words } from "../words.ts";
import { useRows } from "./use-rows.ts";

const rowHeight = 44;
const overscan = 6;

export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Makes the heading a button that sorts by it. */
  readonly sort?: { readonly isSorted: "ascending" | "descending" | undefined; readonly onSort: () => void };
}

export interface VirtualTableProps<Row> {
  readonly label: string;
  /** Undefined until they are known; `pending` says then why. */
  readonly rows: readonly Row[] | undefined;
  readonly pending?: ComponentChildren;
  readonly keyOf: (row: Row) => string | number;
  /** The first one names its row. */
  readonly columns: readonly Column<Row>[];
  readonly none: string;
  /** Told which rows are on the page, the second excluded: for rows whose content is fetched in parts. */
  readonly onSight?: (from: number, to: number) => void;
}

/** A table that puts only those rows on the page that are in sight, so that ten thousand cost as much as twenty. */
export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, rows, keyOf, columns, none, pending, onSight } = props;
  const box = useRef<HTMLElement>(null);
  const top = useSignal(0);
  const height = useSignal(600);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const resized = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    resized.observe(element);
    return () => resized.disconnect();
  }, [height]);

  const all = rows ?? [];
  const move = useRows({
    box,
    keys: all.map(keyOf),
    shown: () => Math.max(1, Math.floor(height.value / rowHeight) - 2),
    show: (row) => {
      const element = box.current!;
      const head = element.querySelector("thead")!.clientHeight;
      const [above, below] = [row * rowHeight, (row + 1) * rowHeight + head - element.clientHeight];
      element.scrollTop = Math.max(below, Math.min(above, element.scrollTop));
      top.value = element.scrollTop;
    },
  });
  const from = Math.max(0, Math.min(Math.floor(top.value / rowHeight), all.length) - overscan);
  const to = Math.min(all.length, from + Math.ceil(height.value / rowHeight) + 2 * overscan);
  useEffect(() => onSight?.(from, to), [onSight, from, to]);
  return (
    <>
      <section
        ref={box}
        class="virtual"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label={label}
        onKeyDown={move}
        onScroll={(event) => {
          top.value = event.currentTarget.scrollTop;
        }}
      >
        <table aria-rowcount={all.length + 1}>
          <thead>
            <tr aria-rowindex={1}>
              {columns.map(({ heading, sort }) => (
                <th key={heading} scope="col" aria-sort={sort?.isSorted}>
                  {sort === undefined ? (
                    heading
                  ) : (
                    <button type="button" class="sort" onClick={sort.onSort}>
                      {heading}
                      <span aria-hidden="true">
                        {sort.isSorted === undefined ? "" : sort.isSorted === "ascending" ? "\u00a0↑" : "\u00a0↓"}
                      </span>
                    </button>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <Gap rows={from} columns={columns.length} />
            {all.slice(from, to).map((row, index) => (
              <tr key={keyOf(row)} aria-rowindex={from + index + 2}>
                {columns.map(({ heading, cell }, column) =>
                  column === 0 ? (
                    <th key={heading} scope="row">
                      {cell(row)}
                    </th>
                  ) : (
                    <td key={heading}>{cell(row)}</td>
                  ),
                )}
              </tr>
            ))}
            <Gap rows={all.length - to} columns={columns.length} />
          </tbody>
        </table>
        {rows?.length === 0 ? <p class="soft told">{none}</p> : null}
        {pending}
      </section>
      <p class="soft small">{rows === undefined ? " " : words.rows(count(all.length), all.length === 1)}</p>
    </>
  );
}

function Gap({ rows, columns }: { rows: number; columns: number }) {
  if (rows <= 0) return null;
  return (
    <tr class="gap">
      <td colSpan={columns} style={{ height: `${rows * rowHeight}px` }} />
    </tr>
  );
}
