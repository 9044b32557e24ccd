import type { ComponentChildren } from "preact";

export interface CommandButtonProps {
  readonly class?: string;
  readonly label?: string;
  /** A command for the same subject awaits its answer: this one waits too, but keeps the focus. */
  readonly isHeld: boolean;
  readonly onPress: () => void;
  readonly children: ComponentChildren;
}

/** A button that sends a command, and does nothing while another is under way: a disabled one would drop the focus. */
export function CommandButton({ class: kind = "", label, isHeld, onPress, children }: CommandButtonProps) {
  return (
    <button
      type="button"
      class={kind}
      aria-label={label}
      aria-disabled={isHeld}
      onClick={() => {
        if (!isHeld) onPress();
      }}
    >
      {children}
    </button>
  );
}
