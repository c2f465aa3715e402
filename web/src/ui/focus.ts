/** Focus goes where the eye goes: for the heading of what has just replaced something else. */
export function focus(node: HTMLElement): void {
  node.focus({ preventScroll: true });
}
