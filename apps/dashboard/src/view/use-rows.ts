import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

/** Where a key leads from one of `count` rows, of which `shown` are in sight at once; undefined: nowhere. */
function rowAfter(key: string, row: number, { count, shown }: { count: number; shown: number }): number | undefined {
  const moved = {
    ArrowDown: row + 1,
    ArrowUp: row - 1,
    PageDown: row + shown,
    PageUp: row - shown,
    Home: 0,
    End: count - 1,
  };
  const to = key in moved ? moved[key as keyof typeof moved] : undefined;
  return to === undefined ? undefined : Math.max(0, Math.min(count - 1, to));
}

interface Rows {
  /** The box that scrolls; its rows are `tbody tr[aria-rowindex]`, the first one at 2. */
  readonly box: { readonly current: HTMLElement | null };
  readonly keys: readonly (string | number)[];
  /** Has a row drawn that may not be on the page. */
  readonly show?: (row: number) => void;
  readonly shown: () => number;
}

/**
 * Moves through rows with the arrow keys, from the box or from any row. Only the current row's controls are on the Tab
 * key's way: a table of ten thousand is passed as fast as one of two. The current row is known by its key, so that rows
 * that come above it do not take it away.
 */
export function useRows({ box, keys, show, shown }: Rows): (event: KeyboardEvent) => void {
  const current = useSignal<string | number | undefined>(undefined);
  const isMoving = useRef(false);
  const row = Math.max(0, current.value === undefined ? 0 : keys.indexOf(current.value));

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const rows = [...element.querySelectorAll<HTMLElement>("tbody tr[aria-rowindex]")];
    const here = rows.find((one) => one.ariaRowIndex === `${row + 2}`) ?? rows[0];
    for (const one of rows) {
      one.tabIndex = -1;
      for (const control of one.querySelectorAll<HTMLElement>("a, button")) control.tabIndex = one === here ? 0 : -1;
    }
    if (isMoving.current && here !== undefined) focusRow(here);
    isMoving.current = false;
  });

  return (event) => {
    const target = event.target as HTMLElement;
    const isInRow = target.closest("tbody tr") !== null;
    if (event.ctrlKey || event.altKey || event.metaKey || !(isInRow || target === box.current)) return;
    if (event.key === "Enter" && target.matches("tr")) {
      target.querySelector("a")?.click();
      return;
    }
    const from = isInRow ? Number(target.closest("tr")!.ariaRowIndex) - 2 : row;
    // From the box, the first press enters the rows.
    const to =
      isInRow || !event.key.startsWith("Arrow")
        ? rowAfter(event.key, from, { count: keys.length, shown: shown() })
        : row;
    if (to === undefined || keys.length === 0) return;
    event.preventDefault();
    show?.(to);
    current.value = keys[to];
    const there = box.current!.querySelector<HTMLElement>(`tbody tr[aria-rowindex="${to + 2}"]`);
    // One that is not on the page yet gets it when it is drawn.
    if (there === null) isMoving.current = true;
    else focusRow(there);
  };
}

function focusRow(row: HTMLElement): void {
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}
