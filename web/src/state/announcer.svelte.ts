/** Sentences for screen readers, in the order in which they are read. */
export const spoken: { list: { key: number; text: string }[] } = $state({ list: [] });

/** Long enough to be read aloud; what goes is not read. */
const SAID_MS = 7000;
let key = 0;

/** Has a sentence read when there is a pause, after those before it. */
export function announce(text: string): void {
  const mine = key++;
  spoken.list = [...spoken.list, { key: mine, text }];
  setTimeout(() => {
    spoken.list = spoken.list.filter((one) => one.key !== mine);
  }, SAID_MS);
}
