/** Focus goes where the eye goes: for the heading of what has just replaced something else. */
export function focus(node: HTMLElement): void {
  node.focus({ preventScroll: true });
}

/** Where a row of people has gone, one goes on at their heading. */
export function toPeople(): void {
  document.getElementById('people')?.focus({ preventScroll: true });
}
