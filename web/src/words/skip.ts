import type { PlaybackState, SkipView } from '../protocol';

/** What the skip control says: the large line, and the smaller one below. */
export interface SkipWords {
  title: string;
  count: string;
}

/** The words for a ballot. `mine`: whether this member is among the votes; `later`: whether Spotify takes its time. */
export function skipWords(skip: SkipView, mine: boolean, later = false): SkipWords {
  const votes = `${skip.votes.length} of ${skip.needed} ${skip.needed === 1 ? 'vote' : 'votes'}`;
  const count = later ? `${votes}. Skips when Spotify answers` : votes;
  switch (skip.state) {
    case 'open':
    case 'refused':
      if (skip.state === 'refused' && !mine)
        return { title: 'Spotify refused the skip', count: 'A new vote opens.' };
      if (mine) return { title: 'You voted to skip', count: `${count}. Touch again to take it back.` };
      return { title: skip.needed === 1 ? 'Skip this song' : 'Vote to skip', count };
    case 'claimed':
    case 'sent':
      return { title: 'Skipping…', count: `${count}. Spotify is being asked.` };
    case 'confirmed':
      return { title: 'Skipped', count };
    case 'unknown':
      return { title: 'Did it skip?', count: 'Parlor is looking what Spotify did.' };
  }
}

/** Why a vote would come to nothing now; null where it may carry, be it later. */
export function unskippable(state: PlaybackState): string | null {
  switch (state) {
    case 'premium_required':
      return 'Skipping needs Spotify Premium.';
    case 'needs_host':
      return 'The host has to connect Spotify first.';
    case 'no_device':
      return 'There is no device to skip on.';
    default:
      return null;
  }
}

/** Names of the voters, "You" first, so that nobody has to count. */
export function voters(names: readonly string[]): string {
  const shown = names.slice(0, 3);
  const more = names.length - shown.length;
  if (more > 0) return `${shown.join(', ')} and ${more} more`;
  return shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}` : (shown[0] ?? '');
}
