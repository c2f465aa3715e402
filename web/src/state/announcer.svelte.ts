/** Sentences for screen readers, in the order in which they are read; the last few stay, and are read once. */
export const spoken: { list: { key: number; text: string }[] } = $state({ list: [] });

const KEPT = 4;
let key = 0;

/** Has a sentence read when there is a pause, after those before it. */
export function announce(text: string): void {
  spoken.list = [...spoken.list, { key: key++, text }].slice(-KEPT);
}
