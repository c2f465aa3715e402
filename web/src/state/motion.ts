const still = matchMedia('(prefers-reduced-motion: reduce)');

/** A transition's parameters: none of it moves for those who asked for stillness. */
export function calm<T extends object>(parameters: T, duration = 220): T & { duration: number } {
  return { ...parameters, duration: still.matches ? 0 : duration };
}

/** Whether motion is unwanted, now. */
export function isStill(): boolean {
  return still.matches;
}
