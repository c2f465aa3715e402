import { describe, expect, test } from 'vitest';
import { contrast, hex, lchOf } from '../src/room/colour';
import { hueOf, paletteOf } from '../src/room/palette';

const DEGREE = Math.PI / 180;

/** Pixels of the given colours, as a canvas gives them. */
function pixels(...colours: [number, number, number, number][]): number[] {
  return colours.flatMap(([r, g, b, times]) => Array.from({ length: times }, () => [r, g, b, 255]).flat());
}

describe('the colours of a room', () => {
  test('are legible in both themes for every hue', () => {
    for (let degree = 0; degree < 360; degree += 3) {
      const { light, dark } = paletteOf(degree * DEGREE);
      for (const theme of [light, dark]) {
        expect(contrast(theme.accent, theme.ground), `accent at ${degree}`).toBeGreaterThanOrEqual(4.5);
        expect(contrast(theme.on, theme.accent), `on accent at ${degree}`).toBeGreaterThanOrEqual(4.5);
        expect(contrast(theme.ink, theme.ground), `ink at ${degree}`).toBeGreaterThanOrEqual(12);
      }
    }
  });

  test('follow what is vivid, not what is much', () => {
    const blue = lchOf(30, 60, 200).h;
    const hue = hueOf(pixels([128, 126, 125, 900], [30, 60, 200, 100]));
    expect(Math.abs((hue ?? 9) - blue)).toBeLessThan(15 * DEGREE);
  });

  test('stay neutral for an artwork without colour', () => {
    expect(hueOf(pixels([20, 20, 20, 500], [230, 230, 230, 500]))).toBeNull();
    expect(hueOf([])).toBeNull();
  });

  test('are measured as WCAG measures them', () => {
    expect(contrast('#ffffff', '#000000')).toBeCloseTo(21, 5);
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
    expect(hex([0, 1, 0.5])).toBe('#00ffbc');
  });
});
