import { hueOf, paletteOf } from '../room/palette';

const SIDE = 32;
/** The ground without a tint (styles/tokens.css), for the browser's own bars. */
const GROUND = { light: '#faf7f3', dark: '#191414' } as const;

/** Lets the artwork give the page its colour. An image that may not be read leaves the page neutral. */
export function tintFrom(image: HTMLImageElement): void {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return;
  try {
    context.drawImage(image, 0, 0, SIDE, SIDE);
    tint(hueOf(context.getImageData(0, 0, SIDE, SIDE).data));
  } catch {
    // The host of this image does not share its pixels.
    tint(null);
  }
}

/** Sets the page's colours to a hue, or back to neutral. */
export function tint(hue: number | null): void {
  const { style } = document.documentElement;
  const palette = hue === null ? null : paletteOf(hue);
  for (const name of ['ground', 'ink', 'accent', 'on'] as const) {
    for (const theme of ['light', 'dark'] as const) {
      const property = `--${name}-${theme}`;
      if (palette === null) style.removeProperty(property);
      else style.setProperty(property, palette[theme][name]);
    }
  }
  for (const theme of ['light', 'dark'] as const) {
    const meta = document.querySelector<HTMLMetaElement>(`meta[name=theme-color][media*=${theme}]`);
    if (meta !== null) meta.content = palette?.[theme].ground ?? GROUND[theme];
  }
}
