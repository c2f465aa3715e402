/** A second touch that comes so soon belongs to the first, and not to what has come under the finger meanwhile. */
export const TWICE_MS = 600;
