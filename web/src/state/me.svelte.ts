import { api } from '../net/api';
import type { Me } from '../protocol';

/** Who this browser is. Asked once, and again after something changed it. */
class Self {
  me: Me | null = $state.raw(null);
  failed = $state(false);
  #asking: Promise<Me> | null = null;

  /** The answer, asked for at most once at a time. */
  load(again = false): Promise<Me> {
    if (this.me !== null && !again) return Promise.resolve(this.me);
    this.#asking ??= this.#ask();
    return this.#asking;
  }

  async #ask(): Promise<Me> {
    this.failed = false;
    try {
      this.me = await api.me();
      return this.me;
    } catch (error) {
      this.failed = true;
      throw error;
    } finally {
      this.#asking = null;
    }
  }
}

export const self = new Self();
