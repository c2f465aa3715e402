/** How long a key must rest before what it has set is sent. */
const REST_MS = 350;

/** Sends what a finger has set when it lets go, and what keys have set when they rest: a key held down sets many values a second. */
export function restful() {
  let keyed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    key: () => {
      keyed = true;
    },
    finger: () => {
      keyed = false;
    },
    then: (send: () => void) => {
      clearTimeout(timer);
      if (keyed) timer = setTimeout(send, REST_MS);
      else send();
    },
  };
}

/** Keeps keys from moving a slider that cannot be set now; it stays where one can read it, with the focus on it. */
export function still(event: KeyboardEvent): void {
  if (/^(?:Arrow|Page|Home|End)/.test(event.key)) event.preventDefault();
}
