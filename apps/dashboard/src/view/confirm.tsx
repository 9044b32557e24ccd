import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { words } from "../words.ts";
import { focusHeading } from "./focus.ts";

export interface Question {
  readonly question: string;
  readonly consequence: string;
  readonly yes: string;
  readonly onYes: () => void;
}

/** Asks before something that cannot be undone; Escape and the first button leave things as they are. */
export function Confirm({ asked, onClose }: { asked: Question | undefined; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Several of these can be on one page.
  const id = useId();
  useLayoutEffect(() => {
    const element = dialog.current!;
    if (asked !== undefined) {
      if (!element.open) element.showModal();
    } else if (element.open) {
      // Back to what opened it, by the browser; that may be gone by now.
      element.close();
      if (document.activeElement === document.body) focusHeading();
    }
  }, [asked]);
  return (
    <dialog
      ref={dialog}
      // The event comes a while after the dialog has closed, and may find it open again.
      onClose={(event) => {
        if (!event.currentTarget.open) onClose();
      }}
      aria-labelledby={`${id}-question`}
      aria-describedby={`${id}-consequence`}
    >
      <h2 id={`${id}-question`}>{asked?.question}</h2>
      <p id={`${id}-consequence`}>{asked?.consequence}</p>
      <div class="actions">
        {/* First, so that it has the focus: Enter pressed in haste undoes nothing. */}
        <button type="button" class="secondary" onClick={onClose}>
          {words.keep}
        </button>
        <button
          type="button"
          class="danger"
          onClick={() => {
            asked?.onYes();
            onClose();
          }}
        >
          {asked?.yes}
        </button>
      </div>
    </dialog>
  );
}
