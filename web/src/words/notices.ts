import type { Notice } from '../protocol';

/** Where Spotify was asked to play and had no song left to play. */
export const NOTHING_LOADED = 'Spotify has nothing to go on with. Choose a song in Spotify.';

/** Why the song ended. */
export function skippedWords(
  notice: Extract<Notice, { kind: 'skipped' }>,
  me: string | null,
  name: string | null,
): string {
  const song = notice.track === null ? 'The song' : `“${notice.track}”`;
  if (notice.by === 'vote') return `${song} was voted away.`;
  if (notice.member_id !== null && notice.member_id === me)
    return `You skipped ${song === 'The song' ? 'the song' : song}.`;
  return `${song} was skipped by ${name ?? 'the host'}.`;
}
