/** A sentence that is shown for a while, with what takes back what it tells. */
export interface Toast {
  key: number;
  text: string;
  /** Says whether it could be sent. */
  undo: (() => boolean) | null;
}

const SHOWN_MS = 6000;
const MOST = 3;

export const toasts: { list: Toast[] } = $state({ list: [] });
let key = 0;

/** Shows and announces a sentence. The same one twice in a row stays, instead of piling up. */
export function toast(text: string, undo: (() => boolean) | null = null): void {
  const mine = key++;
  toasts.list = [...toasts.list.filter((t) => t.text !== text), { key: mine, text, undo }].slice(-MOST);
  setTimeout(() => dismiss(mine), SHOWN_MS);
}

export function dismiss(which: number): void {
  toasts.list = toasts.list.filter((t) => t.key !== which);
}
