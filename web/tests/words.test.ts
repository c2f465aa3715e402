import { describe, expect, test } from 'vitest';
import { afterClose } from '../src/net/backoff';
import type { PlaybackState, SkipState } from '../src/protocol';
import { codeFrom, whyNoCode } from '../src/room/code';
import { pageOf, playlistUri } from '../src/room/links';
import { condition } from '../src/words/playback';
import { plain } from '../src/words/refusals';
import { roomName } from '../src/words/rooms';
import { skipWords, unskippable, voters } from '../src/words/skip';

describe('a code', () => {
  function check(text: string, code: string | null) {
    expect(codeFrom(text), text).toBe(code);
  }

  test('is understood in any dress', () => {
    check('7KQ2MD', '7KQ2MD');
    check(' 7kq-2md ', '7KQ2MD');
    check('7kq 2md', '7KQ2MD');
    check('https://parlor.example/7KQ2MD', '7KQ2MD');
    check('parlor.example/7kq2md/tv?x=1', '7KQ2MD');
    check('http://127.0.0.1:8080/7KQ2MDAB#top', '7KQ2MDAB');
  });

  test('is not seen where there is none', () => {
    for (const text of ['', '7KQ2M', '7KQ2M0', 'ILLOUI', 'https://parlor.example/', '7KQ2MD7KQ2MD'])
      check(text, null);
  });

  test('that is none says what to look at', () => {
    expect(whyNoCode('  ')).toBe('Type the code first.');
    expect(whyNoCode('abc')).toBe('A code has 6 to 10 letters and digits; this has 3.');
    expect(whyNoCode('7KQ 2MO')).toBe(
      '“O” is never in a code: 0, 1, I, L, O and U are left out. Look again.',
    );
    expect(whyNoCode('7KQ2M/')).toBe('“/” is never in a code. Look again.');
    expect(whyNoCode('https://parlor.example/')).toBe('That link has no room’s code in it.');
    expect(whyNoCode('parlor.example')).toBe('That link has no room’s code in it.');
  });
});

describe('a new room', () => {
  const saturday = new Date('2026-11-28T12:00:00');
  const rooms = (...names: string[]) => names.map((name) => ({ code: '7KQ2MD', name, role: 'host' as const }));

  test('is named after its host, and told apart from the one before', () => {
    expect(roomName({ name: 'Ada', rooms: [] }, saturday)).toBe('Ada’s room');
    expect(roomName({ name: 'Ada', rooms: rooms('Ada’s room') }, saturday)).toBe('Ada’s Saturday room');
  });

  test('has a name that the server takes, whatever the host is called', () => {
    expect(roomName({ name: 'W'.repeat(32), rooms: [] }, saturday)).toBe('A new room');
    expect(roomName({ name: 'W'.repeat(20), rooms: rooms(`${'W'.repeat(20)}’s room`) }, saturday)).toBe('A new room');
    expect(roomName({ name: '', rooms: rooms('A new room') }, saturday)).toBe('A room on Saturday');
  });
});

test('what the server says of a key is said without it', () => {
  expect(plain('name: a name has at most 32 characters.')).toBe('A name has at most 32 characters.');
  expect(plain('You have a room: close it.')).toBe('You have a room: close it.');
});

describe('after a close', () => {
  const bye = (code: number, retry_ms: number | null) => ({ code, message: '', retry_ms });

  test('what is over stays over, and says why', () => {
    const over = { 1000: 'left', 4401: 'session', 4403: 'removed', 4404: 'gone', 4410: 'closed' };
    for (const [code, end] of Object.entries(over))
      expect(afterClose(Number(code), null, 0, 0.5)).toEqual({ end });
  });

  test('everything else comes back', () => {
    for (const code of [1001, 1006, 1008, 1009, 1011, 4408, 4429])
      expect(afterClose(code, null, 0, 0.5)).toEqual({ retry_in: 250 });
  });

  test('the wait grows, is spread over all of it, and has an end', () => {
    expect(afterClose(1006, null, 3, 1)).toEqual({ retry_in: 4000 });
    expect(afterClose(1006, null, 3, 0)).toEqual({ retry_in: 0 });
    expect(afterClose(1006, null, 50, 1)).toEqual({ retry_in: 30_000 });
  });

  test('the server’s own wait is kept', () => {
    expect(afterClose(1001, bye(1001, 2000), 0, 0.5)).toEqual({ retry_in: 2250 });
  });

  test('the last words count where the close itself was lost', () => {
    expect(afterClose(1006, bye(4410, null), 0, 0)).toEqual({ end: 'closed' });
  });
});

test('every state of the music that is not well has words for host and guest', () => {
  const states: PlaybackState[] = [
    'idle',
    'no_device',
    'needs_host',
    'premium_required',
    'spotify_busy',
    'spotify_unavailable',
    'private',
    'hands_off',
  ];
  for (const state of states)
    for (const host of [true, false]) {
      const words = condition(state, 'Ada', host);
      expect(words?.title, state).toBeTruthy();
      expect(words?.text, state).toBeTruthy();
    }
  expect(condition('ok', 'Ada', true)).toBeNull();
});

describe('the skip', () => {
  const skip = { epoch: 1, ballot: 1, votes: ['ben'], needed: 2, electors: 4, state: 'open' as SkipState };

  test('says how it stands in every state', () => {
    for (const state of ['open', 'claimed', 'sent', 'confirmed', 'refused', 'unknown'] as const)
      expect(skipWords({ ...skip, state }, false).title, state).toBeTruthy();
    expect(skipWords(skip, false)).toEqual({ title: 'Vote to skip', count: '1 of 2 votes' });
    expect(skipWords(skip, true).count).toContain('take it back');
  });

  test('is not voted on where no skip can follow, and is where Spotify only takes its time', () => {
    for (const state of ['premium_required', 'needs_host', 'no_device'] as const)
      expect(unskippable(state), state).toBeTruthy();
    for (const state of ['ok', 'spotify_busy', 'spotify_unavailable', 'private', 'hands_off'] as const)
      expect(unskippable(state), state).toBeNull();
  });

  test('names the voters without becoming a list', () => {
    expect(voters(['You'])).toBe('You');
    expect(voters(['You', 'Ben'])).toBe('You and Ben');
    expect(voters(['You', 'Ben', 'Dee', 'Kim', 'Lou'])).toBe('You, Ben, Dee and 2 more');
  });
});

test('links lead to Spotify, and only from what is a Spotify thing', () => {
  expect(pageOf('spotify:artist:0LyfQWJT6nXafLPZqxke9Z')).toBe(
    'https://open.spotify.com/artist/0LyfQWJT6nXafLPZqxke9Z',
  );
  for (const uri of [null, 'spotify:local:a:b:c:1', 'javascript:alert(1)', 'spotify:artist:../x'])
    expect(pageOf(uri)).toBeNull();
  expect(playlistUri('https://open.spotify.com/playlist/37i9dQZF1DX4?si=1')).toBe(
    'spotify:playlist:37i9dQZF1DX4',
  );
  expect(playlistUri('a playlist')).toBeNull();
});
