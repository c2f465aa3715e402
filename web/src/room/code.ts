const CODE = /^[23456789A-HJKMNP-TV-Z]{6,10}$/;

/** A room's code as it is written, from what a person typed or pasted; null where it is none. */
export function codeFrom(text: string): string | null {
  const typed = lastSegment(text.trim());
  const code = typed.replace(/[\s-]/g, '').toUpperCase();
  return CODE.test(code) ? code : null;
}

/** What is wrong with a text that is no code. */
export function whyNoCode(text: string): string {
  const typed = lastSegment(text.trim()).replace(/[\s-]/g, '');
  if (typed === '') return 'Type the code first.';
  if (/:\/\/|\w\.\w/.test(typed)) return 'That link has no room’s code in it.';
  const never = [...typed.toUpperCase()].find((sign) => !/[23456789A-HJKMNP-TV-Z]/.test(sign));
  if (never !== undefined) {
    const mistaken = /[01ILOU]/.test(never) ? ': 0, 1, I, L, O and U are left out' : '';
    return `“${never}” is never in a code${mistaken}. Look again.`;
  }
  return `A code has 6 to 10 letters and digits; this has ${typed.length}.`;
}

/** Of a link, the path's first segment: the code stands there, also before `/tv`. */
function lastSegment(text: string): string {
  const link = /^(?:https?:\/\/)?[^/\s]+\/([^/?#]+)/i.exec(text);
  return link?.[1] ?? text;
}

/** In threes, so that a code can be read aloud. */
export function grouped(code: string): string {
  const half = Math.ceil(code.length / 2);
  return `${code.slice(0, half)} ${code.slice(half)}`;
}
