const CODE = /^[23456789A-HJKMNP-TV-Z]{6,10}$/;

/** A room's code as it is written, from what a person typed or pasted; null where it is none. */
export function codeFrom(text: string): string | null {
  const typed = lastSegment(text.trim());
  const code = typed.replace(/[\s-]/g, '').toUpperCase();
  return CODE.test(code) ? code : null;
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
