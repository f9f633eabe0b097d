import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { isKeyed, type PrivateChannel, type TrackerConfig } from './config';
import { storeFor, type Tracking } from './store';
import { readOrder } from './wire';

export interface OrderTrackingOptions extends TrackerConfig, PrivateChannel {
  /** What the shop knows already: a snapshot, or an order with `shipping` fields. */
  order?: unknown;
}

export interface HookOptions extends OrderTrackingOptions {
  /** While true nothing is listened to or read, and what is known stays: for what cannot be seen. */
  paused?: boolean | undefined;
}

/**
 * What is known about an order, live: the first render shows `order`, later ones what the server says.
 * All callers with the same settings share one socket and one record per order.
 */
export function useOrderTracking(
  orderId: string,
  options: HookOptions = {},
): Tracking & { refresh: () => void } {
  const {
    apiUrl,
    soketiKey,
    soketiHost,
    soketiPort,
    soketiTls,
    soketiCluster,
    order,
    paused = false,
  } = options;
  const store = useMemo(
    () => storeFor({ apiUrl, soketiKey, soketiHost, soketiPort, soketiTls, soketiCluster }),
    [apiUrl, soketiKey, soketiHost, soketiPort, soketiTls, soketiCluster],
  );
  const initial = useMemo(() => readOrder(order), [order]);
  const firstView = useMemo(() => store.firstView(initial), [store, initial]);
  // What the server drew is drawn again first, whatever the browser knows of connections by now.
  const keyed = isKeyed({ soketiKey });
  const serverView = useMemo(
    () => store.firstView(initial, keyed ? 'connecting' : 'off'),
    [store, initial, keyed],
  );

  // Listening starts over with the order or the server, never because the parent rendered again.
  const latest = useRef({ initial, watchToken: options.watchToken });
  latest.current = { initial, watchToken: options.watchToken };
  const subscribe = useCallback(
    (changed: () => void) => store.watch(orderId, latest.current.initial, changed),
    [store, orderId],
  );
  const tracking = useSyncExternalStore(
    subscribe,
    () => store.view(orderId) ?? firstView,
    () => serverView,
  );

  const { authEndpoint } = options;
  const isPrivate = options.watchToken !== undefined || authEndpoint !== undefined;
  useEffect(() => {
    if (paused) return;
    const token = () => {
      const { watchToken } = latest.current;
      return typeof watchToken === 'function' ? watchToken() : watchToken;
    };
    const access = isPrivate ? { endpoint: authEndpoint ?? store.authEndpoint, token } : null;
    return store.listen(orderId, access);
  }, [store, orderId, paused, isPrivate, authEndpoint]);
  useEffect(() => {
    if (initial) store.offer(orderId, initial);
  }, [store, orderId, initial]);

  const refresh = useCallback(() => store.refresh(orderId), [store, orderId]);
  return useMemo(() => ({ ...tracking, refresh }), [tracking, refresh]);
}
