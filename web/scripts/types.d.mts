export function fresh(): Promise<boolean>;
