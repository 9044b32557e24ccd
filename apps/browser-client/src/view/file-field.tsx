import { useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";

/** Picks one file. `chosen` is the one that counts: where it was not picked here but dropped, the field says its name. */
export function FileField(props: {
  label: string;
  accept?: string;
  chosen: File | undefined;
  onPick: (file: File | undefined) => void;
}) {
  const { label, accept, chosen, onPick } = props;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const picked = useSignal<File | undefined>(undefined);
  const isElsewhere = chosen !== picked.value;
  useEffect(() => {
    if (!isElsewhere || input.current === null) return;
    input.current.value = "";
  }, [isElsewhere, chosen]);
  return (
    <div class="field">
      <label htmlFor={id}>{label}</label>
      <input
        ref={input}
        id={id}
        type="file"
        accept={accept}
        aria-describedby={`${id}-name`}
        onChange={(event) => {
          picked.value = event.currentTarget.files?.[0];
          onPick(picked.value);
        }}
      />
      {isElsewhere && chosen !== undefined ? <small id={`${id}-name`}>{chosen.name}</small> : null}
    </div>
  );
}
