import type { Admission, QueueOrder } from '../protocol';

/** What each setting changes for the guests, in one line. */
export const ADMISSION: Record<Admission, { name: string; line: string }> = {
  guarded: {
    name: 'Everyone, with a guard',
    line: 'Whoever has the code comes in; a sudden crowd waits for your word.',
  },
  open: { name: 'Everyone', line: 'Whoever has the code comes in at once.' },
  approve: { name: 'One by one', line: 'You or a moderator let each newcomer in.' },
  locked: { name: 'Nobody new', line: 'Only those who are members already find the room.' },
};

export const ORDER: Record<QueueOrder, { name: string; line: string }> = {
  fair: { name: 'Taking turns', line: 'Everyone gets the same share of the evening.' },
  votes: { name: 'By votes', line: 'The songs with the most votes come first.' },
  arrival: { name: 'As they come', line: 'First added, first played.' },
};

export const SWITCHES = [
  {
    key: 'guests_can_pause',
    name: 'Guests pause and play',
    line: 'Anyone may stop the music and start it again.',
  },
  { key: 'guests_can_seek', name: 'Guests move the position', line: 'Anyone may jump within the song.' },
  {
    key: 'guests_can_set_volume',
    name: 'Guests set the volume',
    line: 'Anyone may make your speaker louder or quieter.',
  },
] as const;

export const QUEUE_SWITCHES = [
  {
    key: 'guests_can_queue',
    name: 'Guests add songs',
    line: 'Off: only you and the moderators fill the queue.',
  },
  {
    key: 'allow_explicit',
    name: 'Explicit songs',
    line: 'Off: songs that Spotify marks explicit cannot be added.',
  },
] as const;

export const LIMITS = [
  {
    key: 'max_queued_per_member',
    name: 'Songs waiting per guest',
    line: 'More than this cannot wait in the queue for one guest. Empty: no limit.',
    min: 1,
    max: 1000,
  },
  {
    key: 'adds_per_hour',
    name: 'Songs per guest and hour',
    line: 'How often one guest may add. Empty: no limit.',
    min: 1,
    max: 1000,
  },
  {
    key: 'max_track_min',
    name: 'Longest song, in minutes',
    line: 'Longer ones cannot be added. Empty: no limit.',
    min: 1,
    max: 1440,
  },
  {
    key: 'no_repeat_min',
    name: 'No repeats for, in minutes',
    line: 'What was played is not taken again so soon. Empty: at once.',
    min: 1,
    max: 10_080,
  },
] as const;
