/** Colours by OKLCH, and the WCAG contrast between them. */

/** Linear light, 0..1 each where it can be shown. */
export type Rgb = readonly [number, number, number];

const decode = (byte: number): number => {
  const c = byte / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
};

const encode = (light: number): number => {
  const c = Math.min(1, Math.max(0, light));
  return Math.round(255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055));
};

/** Björn Ottosson's OKLab, back to linear light. */
function linear(l: number, a: number, b: number): Rgb {
  const x = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const y = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const z = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
    -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
    -0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z,
  ];
}

/** Lightness, chroma and hue (radians) of an sRGB colour in bytes. */
export function lchOf(red: number, green: number, blue: number): { l: number; c: number; h: number } {
  const [r, g, b] = [decode(red), decode(green), decode(blue)];
  const x = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const y = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const z = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const a = 1.9779984951 * x - 2.428592205 * y + 0.4505937099 * z;
  const bb = 0.0259040371 * x + 0.7827717662 * y - 0.808675766 * z;
  return {
    l: 0.2104542553 * x + 0.793617785 * y - 0.0040720468 * z,
    c: Math.hypot(a, bb),
    h: Math.atan2(bb, a),
  };
}

/** The colour of a lightness, chroma and hue; chroma gives way where the screen cannot show it. */
export function colourOf(l: number, c: number, h: number): Rgb {
  for (let chroma = c; chroma > 0.002; chroma *= 0.9) {
    const rgb = linear(l, chroma * Math.cos(h), chroma * Math.sin(h));
    if (rgb.every((v) => v >= 0 && v <= 1)) return rgb;
  }
  return linear(l, 0, 0);
}

export function hex(rgb: Rgb): string {
  return `#${rgb.map((v) => encode(v).toString(16).padStart(2, '0')).join('')}`;
}

/** WCAG 2.2 contrast, 1 to 21, of two `#rrggbb` colours. */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(colour: string): number {
  const byte = (at: number) => decode(Number.parseInt(colour.slice(at, at + 2), 16));
  return 0.2126 * byte(1) + 0.7152 * byte(3) + 0.0722 * byte(5);
}
