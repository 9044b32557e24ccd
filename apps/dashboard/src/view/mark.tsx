/** Streams that become one river. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <path d="M4 5c6 2 9 6 11 11M28 5c-6 2-9 6-11 11M16 3v13m0 0v13" />
    </svg>
  );
}
