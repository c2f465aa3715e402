import type { Ending } from '../net/backoff';

/** Why one is not in the room any more, and what can be done. */
export interface EndingWords {
  title: string;
  text: string;
  again: boolean;
}

export function endingWords(why: Ending, host = false): EndingWords {
  switch (why) {
    case 'left':
      return { title: 'You have left the room', text: 'The code still lets you in.', again: true };
    case 'session':
      return { title: 'This browser was forgotten', text: 'Join again to come back in.', again: true };
    case 'removed':
      return {
        title: 'You were sent out of the room',
        text: 'The host or a moderator removed you.',
        again: true,
      };
    case 'gone':
      return {
        title: 'No such room',
        text: 'No room with this code is open to you. Check the code with whoever gave it to you.',
        again: false,
      };
    case 'closed':
      if (host) return { title: 'You closed the room', text: 'Its code opens nothing any more.', again: false };
      return {
        title: 'The room was closed',
        text: 'The host has ended the evening. Thanks for listening.',
        again: false,
      };
  }
}

/** For whoever was sent out and does not come in again: the room is there, but not for them. */
export const SENT_OUT = {
  title: 'You cannot come back into this room',
  text: 'The host or a moderator has decided so.',
};
