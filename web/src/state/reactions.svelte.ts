/** The emoji that the room offers, with the words that a screen reader says. */
export const OFFERED: readonly { emoji: string; name: string }[] = [
  { emoji: '❤️', name: 'Love' },
  { emoji: '🔥', name: 'Fire' },
  { emoji: '🕺', name: 'Dance' },
  { emoji: '👏', name: 'Applause' },
  { emoji: '😂', name: 'Laugh' },
  { emoji: '😴', name: 'Sleepy' },
];

/** One emoji on its way up. */
export interface Riser {
  key: number;
  emoji: string;
  side: 'left' | 'right';
  /** Where in its gutter, 0..1. */
  at: number;
}

const LIFE_MS = 2600;
/** A crowd that applauds does not become a wall: beyond this the oldest goes. */
const MOST = 24;

/** The reactions in the air. One's own rises at the touch; the server's echo of it is not shown twice. */
export class Reactions {
  risers: Riser[] = $state.raw([]);
  #key = 0;
  #echoes = 0;

  mine(emoji: string): void {
    this.#echoes += 1;
    this.#rise(emoji);
  }

  refused(): void {
    this.#echoes = Math.max(0, this.#echoes - 1);
  }

  heard(emoji: string, own: boolean): void {
    if (own && this.#echoes > 0) this.#echoes -= 1;
    else this.#rise(emoji);
  }

  #rise(emoji: string): void {
    const key = this.#key++;
    const riser: Riser = { key, emoji, side: key % 2 === 0 ? 'right' : 'left', at: (key * 0.37) % 1 };
    this.risers = [...this.risers, riser].slice(-MOST);
    setTimeout(() => {
      this.risers = this.risers.filter((r) => r.key !== key);
    }, LIFE_MS);
  }
}
