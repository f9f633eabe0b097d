/**
 * The present moment and the viewer's zone, for components. On a server neither is the viewer's: there
 * `now` is null and the zone India's, and the first render in the browser says the same before it corrects itself.
 */
import { useSyncExternalStore } from 'react';
import { indianZone } from './dates';

const tick = 30_000;

let now = 0;
let timer: ReturnType<typeof setInterval> | undefined;
const watchers = new Set<() => void>();

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of [...watchers]) each();
  }, tick);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    now = 0;
  };
}

function moment(): number {
  // Between two ticks everyone sees the same moment.
  if (now === 0) now = Date.now();
  return now;
}

/** The present in milliseconds, new every half minute; null where it cannot be the viewer's. */
export function useNow(): number | null {
  return useSyncExternalStore<number | null>(watch, moment, () => null);
}

const never = () => () => {};
const viewersZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || indianZone;

/** The viewer's time zone. */
export function useZone(): string {
  return useSyncExternalStore(never, viewersZone, () => indianZone);
}
