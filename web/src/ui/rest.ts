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
