/** What screen readers are told, politely; the last sentence stands. */
export const spoken = $state({ text: '' });

export function announce(text: string): void {
  spoken.text = text;
}
