const WORDS: Record<string, string> = {
  not_allowed: 'The host keeps that for themselves.',
  not_admitted: 'You are not let in yet.',
  nothing_playing: 'Nothing is playing.',
  stale_epoch: 'That song is over already.',
  unknown_member: 'That person has left.',
  unknown_entry: 'That song is no longer in the queue.',
  too_fast: 'A little slower, please.',
  no_device: 'No device is there to play on. Open Spotify on the device that should play.',
  premium_required: 'Spotify takes commands from Premium accounts alone.',
  restricted: 'Spotify does not allow that for this song or device.',
  spotify_unavailable: 'Spotify does not answer. Nothing was changed.',
  too_many_requests: 'Too many tries. Wait a moment.',
  too_many_rooms: 'You have as many rooms as one host may have. Close one first.',
  store_unavailable: 'Parlor cannot store anything at the moment. Nothing was changed.',
  not_ready: 'Parlor is starting. Try again in a moment.',
};

/** Why something was not done, for the person who asked for it. The code decides; the server's words stand in. */
export function refusal(code: string, message: string, retryMs: number | null, host: string): string {
  if (code === 'needs_host') return `${host} has to sign in to Spotify again.`;
  if (code === 'spotify_busy') {
    const wait = retryMs === null ? 'in a moment' : `in ${Math.ceil(retryMs / 1000)} s`;
    return `Spotify asks for a pause. Try again ${wait}.`;
  }
  return WORDS[code] ?? plain(message);
}

/** The server's words without the key that they begin with, which is for programs. */
export function plain(message: string): string {
  const words = message.replace(/^[a-z_.]+: /, '');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
