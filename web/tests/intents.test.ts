import { describe, expect, test } from 'vitest';
import type { CommandBody, PlaybackView } from '../src/protocol';
import {
  answered,
  type Intent,
  PATIENCE_MS,
  STALE_MS,
  unanswered,
  unsettled,
  withIntents,
} from '../src/room/intents';
import { playback, room } from './room';

const AT = 1_002_000;
const vote: CommandBody = { type: 'vote_skip', epoch: 17 };

function intent(body: CommandBody, change: Partial<Intent> = {}): Intent {
  return { id: 'one', body, at: AT, version: null, ...change };
}

describe('a touch', () => {
  test('shows a vote at once, and only once', () => {
    expect(withIntents(room(), 'me', [intent(vote)]).skip?.votes).toEqual(['ben', 'me']);
    expect(withIntents(room(), 'ben', [intent(vote)]).skip?.votes).toEqual(['ben']);
  });

  test('takes a vote back at once', () => {
    const seen = withIntents(room(), 'ben', [intent({ type: 'unvote_skip', epoch: 17 })]);
    expect(seen.skip?.votes).toEqual([]);
  });

  test('does not carry a vote over to the next song', () => {
    const next = room({ skip: { epoch: 18, ballot: 1, votes: [], needed: 3, electors: 5, state: 'open' } });
    expect(withIntents(next, 'me', [intent(vote)])).toBe(next);
  });

  test('pauses where the song is, and not where it was last heard of', () => {
    const seen = withIntents(room(), 'me', [intent({ type: 'pause' })]).playback;
    expect(seen).toMatchObject({ is_playing: false, progress_ms: 85_000, as_of: AT });
  });

  test('a later touch stands on an earlier one', () => {
    const seen = withIntents(room(), 'me', [
      intent({ type: 'pause' }),
      intent({ type: 'play' }, { id: 'two' }),
    ]);
    expect(seen.playback.is_playing).toBe(true);
  });
});

describe('an answer', () => {
  test('that refuses takes the touch back, and leaves the others', () => {
    const both = [intent(vote), intent({ type: 'pause' }, { id: 'two' })];
    const left = answered(both, {
      type: 'refused',
      id: 'one',
      code: 'too_fast',
      message: '',
      retry_ms: null,
    });
    expect(left.map((i) => i.id)).toEqual(['two']);
  });

  test('keeps a vote shown until the version that holds it has come', () => {
    const [acked] = answered([intent(vote)], { type: 'ack', id: 'one', version: 8 });
    if (acked === undefined) throw new Error('the acknowledged intent is gone');
    expect(unsettled([acked], room({ version: 7 }), AT)).toHaveLength(1);
    expect(unsettled([acked], room({ version: 8 }), AT)).toHaveLength(0);
  });

  test('keeps a pause shown until Spotify has paused, and gives up in time', () => {
    const stored = intent({ type: 'pause' }, { version: 7 });
    expect(unsettled([stored], room(), AT + 100)).toHaveLength(1);
    expect(unsettled([stored], room({ playback: playback({ is_playing: false }) }), AT + 100)).toHaveLength(
      0,
    );
    expect(unsettled([stored], room(), AT + PATIENCE_MS + 1)).toHaveLength(0);
  });

  test('to play is not there while nothing is loaded, whatever the room says for a moment', () => {
    const stored = intent({ type: 'play' }, { version: 7 });
    const left = (change: Partial<PlaybackView>) =>
      unsettled([stored], room({ playback: playback(change) }), AT + 100).length;
    expect(left({ is_playing: true, track: null })).toBe(1);
    expect(left({ is_playing: true, track: null, state: 'private' })).toBe(0);
    expect(left({ is_playing: true })).toBe(0);
  });

  test('that never comes is not waited for for ever', () => {
    expect(unsettled([intent(vote)], room(), AT + STALE_MS)).toHaveLength(0);
  });
});

test('after a reconnect the unanswered go again under their ids; reactions are over', () => {
  const all = [
    intent(vote),
    intent({ type: 'react', emoji: '🔥' }, { id: 'two' }),
    intent({ type: 'pause' }, { id: 'three', version: 9 }),
  ];
  expect(unanswered(all).map((i) => i.id)).toEqual(['one']);
});
