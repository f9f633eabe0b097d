import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import type { TrackerConfig } from './config';
import { storeFor, type Tracking } from './store';
import { readOrder } from './wire';

export interface OrderTrackingOptions extends TrackerConfig {
  /** What the shop knows already: a snapshot, or an order with `shipping` fields. */
  order?: unknown;
}

/**
 * What is known about an order, live: the first render shows `order`, later ones what the server says.
 * All callers with the same settings share one socket and one record per order.
 */
export function useOrderTracking(
  orderId: string,
  options: OrderTrackingOptions = {},
): Tracking & { refresh: () => void } {
  const { apiUrl, soketiKey, soketiHost, soketiPort, soketiTls, soketiCluster, order } = options;
  const store = useMemo(
    () => storeFor({ apiUrl, soketiKey, soketiHost, soketiPort, soketiTls, soketiCluster }),
    [apiUrl, soketiKey, soketiHost, soketiPort, soketiTls, soketiCluster],
  );
  const initial = useMemo(() => readOrder(order), [order]);
  const firstView = useMemo(() => store.firstView(initial), [store, initial]);

  // Listening starts over with the order or the server, never because the parent rendered again.
  const latest = useRef(initial);
  latest.current = initial;
  const subscribe = useCallback(
    (changed: () => void) => store.watch(orderId, latest.current, changed),
    [store, orderId],
  );
  const tracking = useSyncExternalStore(
    subscribe,
    () => store.view(orderId) ?? firstView,
    () => firstView,
  );
  useEffect(() => {
    if (initial) store.offer(orderId, initial);
  }, [store, orderId, initial]);

  const refresh = useCallback(() => store.refresh(orderId), [store, orderId]);
  return useMemo(() => ({ ...tracking, refresh }), [tracking, refresh]);
}
