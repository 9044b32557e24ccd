import { useLayoutEffect, useRef } from "preact/hooks";
import { words } from "../words.ts";

export interface Question {
  readonly question: string;
  readonly consequence: string;
  readonly yes: string;
  readonly onYes: () => void;
}

/** Asks before something that cannot be undone; Escape and the second button leave things as they are. */
export function Confirm({ asked, onClose }: { asked: Question | undefined; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    if (asked === undefined) dialog.current?.close();
    else if (dialog.current?.open === false) dialog.current.showModal();
  }, [asked]);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="confirm-question" aria-describedby="confirm-consequence">
      <h2 id="confirm-question">{asked?.question}</h2>
      <p id="confirm-consequence">{asked?.consequence}</p>
      <div class="actions">
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
        <button type="button" class="secondary" onClick={onClose}>
          {words.keep}
        </button>
      </div>
    </dialog>
  );
}
