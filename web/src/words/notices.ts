import type { Notice } from '../protocol';

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
