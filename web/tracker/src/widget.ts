/**
 * The script at /embed/order-tracker.js: the custom element with all it needs. It reads snapshots from
 * where it was loaded, and listens where that server says, unless attributes name other places.
 */
import type { TrackerConfig } from './config';
import { defineOrderTracker } from './element';

declare global {
  /** Put in front of the script by the server that serves it. */
  var waybillRealtime:
    | Pick<TrackerConfig, 'soketiKey' | 'soketiHost' | 'soketiPort' | 'soketiTls' | 'soketiCluster'>
    | undefined;
}

// A script that is a module is not told which element it stands in, and is found by its name.
const script = (document.currentScript ??
  document.querySelector('script[src*="/embed/order-tracker.js"]')) as HTMLScriptElement | null;

defineOrderTracker({
  apiUrl: script?.src ? new URL(script.src).origin : undefined,
  ...globalThis.waybillRealtime,
});
