/** Streams that become one river. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <path d="M4 6c8 0 8 10 12 10M4 26c8 0 8-10 12-10M4 16h24" />
    </svg>
  );
}
