import { colourOf, contrast, hex, lchOf } from './colour';

/** One theme's colours, `#rrggbb`. */
export interface Theme {
  ground: string;
  ink: string;
  accent: string;
  /** Text that stands on the accent. */
  on: string;
}

export interface Palette {
  light: Theme;
  dark: Theme;
}

const BINS = 24;
/** Text, and controls that carry meaning, keep this against the ground: WCAG AA. */
const AA = 4.5;

/** The hue (radians) that gives an artwork its character, from RGBA bytes; null for one that has none. */
export function hueOf(pixels: ArrayLike<number>): number | null {
  const bins = Array.from({ length: BINS }, () => ({ x: 0, y: 0, weight: 0 }));
  let seen = 0;
  for (let at = 0; at + 3 < pixels.length; at += 4) {
    const { l, c, h } = lchOf(pixels[at] ?? 0, pixels[at + 1] ?? 0, pixels[at + 2] ?? 0);
    seen += 1;
    if (c < 0.035 || l < 0.15 || l > 0.95) continue;
    const bin = bins[Math.floor(((h + Math.PI) / (2 * Math.PI)) * BINS) % BINS];
    if (bin === undefined) continue;
    // Vivid pixels count for more than many dull ones, as they do for the eye.
    bin.weight += c;
    bin.x += c * Math.cos(h);
    bin.y += c * Math.sin(h);
  }
  const best = bins.reduce((a, b) => (b.weight > a.weight ? b : a));
  return best.weight <= seen * 0.002 ? null : Math.atan2(best.y, best.x);
}

/** A room's colours from its hue: tinted grounds, and an accent that is legible on them in both themes. */
export function paletteOf(hue: number): Palette {
  return {
    light: theme(hue, hex(colourOf(0.972, 0.014, hue)), hex(colourOf(0.22, 0.025, hue)), 0.62, -0.01),
    dark: theme(hue, hex(colourOf(0.19, 0.022, hue)), hex(colourOf(0.96, 0.012, hue)), 0.74, 0.01),
  };
}

/** Moves the accent's lightness away from the ground until the contrast is there. */
function theme(hue: number, ground: string, ink: string, from: number, step: number): Theme {
  let l = from;
  let accent = hex(colourOf(l, 0.14, hue));
  while (contrast(accent, ground) < AA + 0.3 && l > 0.1 && l < 0.97) {
    l += step;
    accent = hex(colourOf(l, 0.14, hue));
  }
  const on = ['#ffffff', '#191414'].reduce((a, b) => (contrast(b, accent) > contrast(a, accent) ? b : a));
  return { ground, ink, accent, on };
}
