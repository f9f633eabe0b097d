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

const script = document.currentScript instanceof HTMLScriptElement ? document.currentScript.src : '';

defineOrderTracker({
  apiUrl: script ? new URL(script).origin : undefined,
  ...globalThis.waybillRealtime,
});
