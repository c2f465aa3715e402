import { describe, expect, test } from 'vitest';
import { type Bound, boundOf, learn, offsetOf } from '../src/room/offset';
import { clock, positionAt, spoken } from '../src/room/playhead';
import { playback } from './room';

describe('the playhead', () => {
  test('runs by itself while the track plays, and stands while it is paused', () => {
    expect(positionAt(playback(), 1_002_500)).toBe(85_500);
    expect(positionAt(playback({ is_playing: false }), 1_002_500)).toBe(83_000);
  });

  test('ends with the track, and never begins before it', () => {
    expect(positionAt(playback(), 9_000_000)).toBe(215_000);
    expect(positionAt(playback(), 0)).toBe(0);
  });

  test('runs on where no track is named', () => {
    expect(positionAt(playback({ track: null }), 1_002_000)).toBe(85_000);
  });

  test('reads as people read it', () => {
    expect([0, 59_999, 60_000, 3_723_000].map(clock)).toEqual(['0:00', '0:59', '1:00', '1:02:03']);
    expect([0, 61_000, 120_000].map(spoken)).toEqual(['0 seconds', '1 minute 1 second', '2 minutes']);
  });
});

/** The offset after round trips whose ways there and back take so long, to a server that is `ahead`. */
function estimate(ahead: number, trips: [there: number, back: number][]): number {
  let bounds: Bound[] = [];
  let now = 50_000;
  for (const [there, back] of trips) {
    bounds = learn(bounds, boundOf({ sent: now, received: now + there + back, server: now + there + ahead }));
    now += 1000;
  }
  return offsetOf(bounds);
}

describe('the clock offset', () => {
  test('is half of what is not known, at worst', () => {
    expect(estimate(5000, [[20, 20]])).toBe(5000);
    expect(Math.abs(estimate(5000, [[200, 0]]) - 5000)).toBeLessThanOrEqual(100);
  });

  test('trusts the shortest round trip, not the mean', () => {
    const trips: [number, number][] = [
      [900, 20],
      [15, 25],
      [30, 600],
      [400, 10],
    ];
    expect(Math.abs(estimate(-3000, trips) + 3000)).toBeLessThanOrEqual(5);
  });

  test('two browsers with different clocks and ways agree on the position within 250 ms', () => {
    const [one, other] = [
      estimate(7_000, [
        [300, 40],
        [120, 90],
      ]),
      estimate(-90_000, [
        [20, 420],
        [60, 30],
      ]),
    ];
    expect(Math.abs(one - 7_000 - (other + 90_000))).toBeLessThan(250);
  });

  test('forgets what a clock that was set has made false', () => {
    const bounds = learn([{ value: 0, error: 10 }], { value: 60_000, error: 200 });
    expect(offsetOf(bounds)).toBe(60_000);
  });
});
