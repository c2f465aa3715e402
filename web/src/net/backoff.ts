/** The server's last words on a connection. */
export interface Bye {
  code: number;
  message: string;
  retry_ms: number | null;
}

/** Why there is nothing to come back to. */
export type Ending = 'left' | 'session' | 'removed' | 'gone' | 'closed';

export type Verdict = { end: Ending } | { retry_in: number };

const FIRST_MS = 500;
const CAP_MS = 30_000;
/** A connection that lived this long had a good session when it was opened. */
const LIVED_MS = 1000;

const ENDINGS = new Map<number, Ending>([
  [1000, 'left'],
  [4401, 'session'],
  [4403, 'removed'],
  [4404, 'gone'],
  [4410, 'closed'],
]);

/**
 * What to do after a close. Full jitter, so that a thousand phones do not come back at once; a wait that
 * the server asked for is kept, with as much jitter again on top. `attempt` counts the failures in a row,
 * from 0; `random` is in 0..1; `lived_ms` is how long the connection was open.
 *
 * A session that ended under a good connection was most likely replaced, by a sign-in in another tab. The browser has
 * the new cookie in a moment, so one more try tells.
 */
export function afterClose(
  code: number,
  bye: Bye | null,
  attempt: number,
  random: number,
  lived_ms = 0,
): Verdict {
  const end = ENDINGS.get(bye?.code ?? code);
  if (end === 'session' && lived_ms >= LIVED_MS) return { retry_in: FIRST_MS };
  if (end !== undefined) return { end };
  const spread = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  const asked = bye?.retry_ms ?? 0;
  return { retry_in: Math.round(asked + random * spread) };
}
