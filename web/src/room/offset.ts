/** One round trip: when the ping left and the pong came (this clock), and what the server's clock said between. */
export interface RoundTrip {
  sent: number;
  received: number;
  server: number;
}

/** What a round trip proves: the offset is within `error` of `value`. */
export interface Bound {
  value: number;
  error: number;
}

const KEPT = 8;

/** The server's clock was read somewhere between the two instants; the middle is the best guess. */
export function boundOf(trip: RoundTrip): Bound {
  const error = Math.max(0, trip.received - trip.sent) / 2;
  return { value: trip.server - (trip.sent + error), error };
}

/**
 * Adds what was learned. The shortest round trip is the best witness, so the mean is never taken. A bound
 * that contradicts the others means that one of the clocks was set: the older ones are forgotten.
 */
export function learn(bounds: readonly Bound[], bound: Bound): Bound[] {
  const agree = bounds.every((b) => Math.abs(b.value - bound.value) <= b.error + bound.error + 1);
  return agree ? [...bounds, bound].slice(-KEPT) : [bound];
}

/** How far the server's clock is ahead of this one, in milliseconds. */
export function offsetOf(bounds: readonly Bound[]): number {
  let best: Bound | undefined;
  for (const bound of bounds) if (best === undefined || bound.error <= best.error) best = bound;
  return best?.value ?? 0;
}
