/** Puts the keyboard at the view's beginning. */
export function focusHeading(): void {
  const heading = document.querySelector<HTMLElement>("main h1");
  if (heading === null) return;
  heading.tabIndex = -1;
  heading.focus();
}

/**
 * Puts the keyboard back where it was when what had it is taken off the page: to the nearest box around it that can have
 * it, or else to the view's heading. Returns what ends this.
 */
export function keepFocus(page: HTMLElement): () => void {
  // What has the focus, and everything around it, as long as it is the person's will that it has it.
  let held: readonly HTMLElement[] = [];
  const hold = (event: FocusEvent) => {
    held = event.composedPath().filter((node) => node instanceof HTMLElement);
  };
  const release = (event: Event) => {
    if (held[0]?.contains(event.target as Node) !== true) held = [];
  };
  const changed = new MutationObserver(() => {
    const isLost = document.activeElement === document.body && document.hasFocus();
    if (!isLost || held.length === 0 || document.querySelector("dialog[open]") !== null) return;
    const place = held.find(
      (element) => element.matches("[tabindex], a, button, input, select, textarea") && isShown(element),
    );
    place?.focus({ preventScroll: true });
    if (document.activeElement === document.body) focusHeading();
  });
  page.addEventListener("focusin", hold);
  page.addEventListener("pointerdown", release, { capture: true });
  changed.observe(page, { childList: true, subtree: true });
  return () => {
    page.removeEventListener("focusin", hold);
    page.removeEventListener("pointerdown", release, { capture: true });
    changed.disconnect();
  };
}

function isShown(element: HTMLElement): boolean {
  return element.isConnected && element.checkVisibility();
}
