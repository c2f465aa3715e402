/** A new id for a command. `crypto.randomUUID` is there on https and on this very machine alone, and a room at home is often neither. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
