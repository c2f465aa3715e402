import type { PlaybackView, RoomView, TrackView } from '../src/protocol';

/** A track of 215 s. */
export const track: TrackView = {
  uri: 'spotify:track:4uLU6hMCjMI75M1A2tKUQC',
  name: 'Slow Water',
  artists: [{ name: 'Mira Holm', uri: 'spotify:artist:0LyfQWJT6nXafLPZqxke9Z' }],
  album: null,
  image_url: null,
  duration_ms: 215_000,
  explicit: false,
  url: null,
};

/** A playback at 83 s, read at the server's instant 1 000 000. */
export function playback(change: Partial<PlaybackView> = {}): PlaybackView {
  return {
    state: 'ok',
    epoch: 17,
    is_playing: true,
    progress_ms: 83_000,
    as_of: 1_000_000,
    track,
    device: {
      id: 'k',
      name: 'Kitchen',
      kind: 'Speaker',
      is_active: true,
      volume_percent: 60,
      supports_volume: true,
    },
    added_by: null,
    disallows: [],
    retry_at: null,
    ...change,
  };
}

/** Ada's room at version 7, with Ben's vote to skip in it. */
export function room(change: Partial<RoomView> = {}): RoomView {
  return {
    code: '7KQ2MD',
    name: 'Friday at ours',
    version: 7,
    created_at: 0,
    host: { member_id: 'ada', name: 'Ada' },
    settings: {
      skip_rule: { kind: 'share', value: 0.5, at_least: 2 },
      guests_can_pause: false,
      guests_can_seek: false,
      guests_can_set_volume: false,
      guests_can_queue: true,
      queue_order: 'fair',
      fallback_playlist: null,
      max_queued_per_member: 5,
      adds_per_hour: null,
      max_track_min: 10,
      no_repeat_min: 120,
      allow_explicit: true,
      admission: 'guarded',
      vote_after_s: 0,
    },
    playback: playback(),
    skip: { epoch: 17, ballot: 1, votes: ['ben'], needed: 3, electors: 5, state: 'open' },
    queue: [],
    members: { online: 0, total: 0, list: [], waiting: [], banned: [] },
    ...change,
  };
}
