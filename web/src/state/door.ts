const KEY = 'parlor.starting';

/** Remembers, in this tab alone, that a room is meant to be started: the way leads over Spotify's pages. */
export function throughDoor(): void {
  try {
    sessionStorage.setItem(KEY, '1');
  } catch {
    // Without storage the host is asked once more.
  }
}

/** Whether it was meant; asked once. */
export function cameThroughDoor(): boolean {
  try {
    const came = sessionStorage.getItem(KEY) !== null;
    sessionStorage.removeItem(KEY);
    return came;
  } catch {
    return false;
  }
}
