const spent = new WeakSet<object>();

/** Marks a state as used. A second step from one state would use a key twice: that is our bug, so it throws `Error`. */
export function spend(state: { readonly phase: string }): void {
  if (spent.has(state)) throw new Error(`the state "${state.phase}" was already used: continue from its successor`);
  spent.add(state);
}
