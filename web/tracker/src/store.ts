/**
 * What every tracker on a page knows, outside React: one record per order, however many components
 * show it. A record listens first and reads the snapshot then, so that nothing falls between the two.
 */
import { type Endpoints, endpointsOf, type TrackerConfig } from './config';
import { type Access, type ConnectionState, Live } from './live';
import { hasGap, type KnownOrder, newestOf, withSnapshot, withUpdate } from './merge';
import { ask } from './request';
import type { Snapshot } from './tracking';
import { readSnapshot, readUpdate } from './wire';

/** What a component may show of an order. */
export interface Tracking {
  /** waiting: nothing is known and nobody can be asked; it comes live. missing: the server knows no such order. */
  state: 'loading' | 'waiting' | 'ready' | 'missing' | 'unreachable';
  order: KnownOrder | null;
  connection: ConnectionState;
}

/** How long the first snapshot waits for the subscription before it is read without. */
export const subscriptionWait = 1_000;
/** How often a snapshot is read while nothing is live. */
export const pollEvery = 60_000;
/** Everyone reconnects in the same second; they read spread over this time. */
export const reconnectJitter = 3_000;
export const gapJitter = 1_000;
const retryAfter = 2_000;
/** A server says twice, so far apart, that an order is at an older version before it is believed. */
export const olderAgain = 10_000;
/** A page out of sight for longer is asked about anew: a phone that sleeps loses its socket and does not know. */
export const awayFor = 30_000;

interface OrderRecord {
  orderId: string;
  order: KnownOrder | null;
  /** Whether anything came from the server, so that a shop's own older data no longer counts. */
  heard: boolean;
  /** What the shop told last, as text: a parent that renders again mostly tells the same. */
  offered: string;
  verdict: 'missing' | 'unreachable' | null;
  /** Who wants news of it, each by what he may open its private channel with; with none the record only keeps what it has. */
  listeners: Set<{ access: Access | null }>;
  /** What it listens with; undefined while it does not. */
  access: Access | null | undefined;
  /** The realtime server will not have us on its channel. */
  refused: boolean;
  joins: number;
  failures: number;
  /** When a snapshot first was older than what is known, with none since that was not; 0: never. */
  olderSince: number;
  reading: boolean;
  due: { at: number; timer: ReturnType<typeof setTimeout> } | null;
  watchers: Set<() => void>;
  view: Tracking;
  leave: () => void;
}

export class OrderStore {
  #apiUrl: string | null;
  #live: Live | null;
  #records = new Map<string, OrderRecord>();

  constructor(endpoints: Pick<Endpoints, 'apiUrl'>, live: Live | null) {
    this.#apiUrl = endpoints.apiUrl;
    this.#live = live;
    live?.watch(() => this.#connectionChanged());
    if (typeof document !== 'undefined') this.#watchPage();
  }

  /** Who signs for private channels where nobody else is named. */
  get authEndpoint(): string {
    return `${this.#apiUrl ?? ''}/api/realtime/auth`;
  }

  /** What is known of an order that someone watches; the same object until something changes. */
  view(orderId: string): Tracking | undefined {
    return this.#records.get(orderId)?.view;
  }

  /** What a first paint shows, before anyone watches. */
  firstView(initial: Snapshot | null, state = this.#live?.state ?? 'off'): Tracking {
    const order = initial && withSnapshot(null, initial);
    // The socket may be another order's.
    const connection = state === 'live' ? 'connecting' : state;
    return { state: this.#stateOf(order, null), order, connection };
  }

  /** Keeps what is known of an order, and calls back after every change, until the returned function is called. */
  watch(orderId: string, initial: Snapshot | null, watcher: () => void): () => void {
    const record = this.#records.get(orderId) ?? this.#open(orderId, initial);
    record.watchers.add(watcher);
    return () => {
      record.watchers.delete(watcher);
      if (record.watchers.size === 0) this.#close(record);
    };
  }

  /**
   * Keeps an order that is watched up to date until the returned function is called: by its public channel, by
   * its private one where there is access, and by reading snapshots.
   */
  listen(orderId: string, access: Access | null = null): () => void {
    const record = this.#records.get(orderId);
    if (!record) return () => {};
    const listener = { access };
    record.listeners.add(listener);
    this.#tune(record);
    return () => {
      record.listeners.delete(listener);
      this.#tune(record);
    };
  }

  /** Takes in what the shop knows by now, unless we know better. */
  offer(orderId: string, initial: Snapshot): void {
    const record = this.#records.get(orderId);
    const offered = JSON.stringify(initial);
    if (!record || record.offered === offered) return;
    record.offered = offered;
    const known = record.order;
    if (!record.heard || !known || initial.version > known.version) {
      this.#learn(record, withSnapshot(known, initial));
    } else if (this.#apiUrl === null && initial.version === 0 && known.shipments.length === 1) {
      // Where no snapshot can be read, only the shop can tell what came while nobody listened.
      if (newestOf(initial) <= newestOf(known)) return;
      this.#learn(record, withSnapshot(known, { ...initial, version: known.version }));
    }
  }

  /** Reads the snapshot now. */
  refresh(orderId: string): void {
    const record = this.#records.get(orderId);
    if (record) this.#readIn(record, 0);
  }

  #open(orderId: string, initial: Snapshot | null): OrderRecord {
    const record: OrderRecord = {
      orderId,
      order: initial && withSnapshot(null, initial),
      heard: false,
      offered: JSON.stringify(initial),
      verdict: null,
      listeners: new Set(),
      access: undefined,
      refused: false,
      joins: 0,
      failures: 0,
      olderSince: 0,
      reading: false,
      due: null,
      watchers: new Set(),
      view: this.firstView(initial),
      leave: () => {},
    };
    this.#records.set(orderId, record);
    return record;
  }

  #close(record: OrderRecord): void {
    this.#stop(record);
    this.#records.delete(record.orderId);
  }

  /** Listens as the present listeners want it: by the private channel as soon as one of them can open it. */
  #tune(record: OrderRecord): void {
    const listeners = [...record.listeners];
    const first = listeners.find(({ access }) => access) ?? listeners[0];
    if (record.access === first?.access) return;
    this.#stop(record);
    if (first) this.#start(record, first.access);
  }

  #start(record: OrderRecord, access: Access | null): void {
    record.access = access;
    record.joins = 0;
    record.refused = false;
    if (this.#live) {
      const channel = `${access ? 'private-order' : 'order'}-${record.orderId}`;
      const listener = {
        joined: () => this.#joined(record),
        refused: () => this.#refused(record),
        received: (data: unknown) => this.#received(record, data),
      };
      record.leave = this.#live.join(channel, listener, access);
    }
    // The server may not be reachable by socket; the page must not wait for that.
    if (record.joins === 0) this.#readIn(record, this.#live ? subscriptionWait : 0);
  }

  #stop(record: OrderRecord): void {
    record.access = undefined;
    record.leave();
    record.leave = () => {};
    if (record.due) clearTimeout(record.due.timer);
    record.due = null;
  }

  #refused(record: OrderRecord): void {
    record.refused = true;
    this.#show(record);
    this.#readUnlessLive(record);
  }

  #joined(record: OrderRecord): void {
    record.joins += 1;
    record.refused = false;
    this.#show(record);
    this.#readIn(record, record.joins === 1 ? 0 : Math.random() * reconnectJitter);
  }

  #received(record: OrderRecord, data: unknown): void {
    const update = readUpdate(data);
    if (!update) return;
    record.heard = true;
    record.verdict = null;
    if (update.version > (record.order?.version ?? 0)) record.olderSince = 0;
    this.#learn(record, withUpdate(record.order, update, this.#apiUrl !== null));
    if (hasGap(record.order)) this.#readIn(record, Math.random() * gapJitter);
  }

  #connectionChanged(): void {
    for (const record of this.#records.values()) {
      this.#show(record);
      this.#readUnlessLive(record);
    }
  }

  #watchPage(): void {
    let leftAt = 0;
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') {
        leftAt = Date.now();
      } else if (leftAt > 0 && Date.now() - leftAt >= awayFor) {
        for (const record of this.#records.values()) this.#readIn(record, Math.random() * gapJitter);
      }
    });
  }

  #connectionOf(record: OrderRecord): ConnectionState {
    const state = this.#live?.state ?? 'off';
    if (state !== 'live') return state;
    if (record.refused) return 'off';
    return record.joins === 0 ? 'connecting' : 'live';
  }

  #readUnlessLive(record: OrderRecord): void {
    if (this.#connectionOf(record) !== 'live') this.#readIn(record, pollEvery * (1 + Math.random() / 4));
  }

  /** Reads the snapshot after a delay, or sooner if that was due sooner. */
  #readIn(record: OrderRecord, delay: number): void {
    if (this.#apiUrl === null || record.listeners.size === 0) return;
    const at = Date.now() + delay;
    if (record.due) {
      if (record.due.at <= at) return;
      clearTimeout(record.due.timer);
    }
    record.due = { at, timer: setTimeout(() => this.#read(record), delay) };
  }

  async #read(record: OrderRecord): Promise<void> {
    record.due = null;
    if (record.reading) return this.#readIn(record, gapJitter);
    record.reading = true;
    const answer = await this.#fetch(record.orderId);
    record.reading = false;
    if (this.#records.get(record.orderId) !== record) return;

    if (answer === 'failed') {
      record.verdict = 'unreachable';
      record.failures += 1;
      const wait = Math.min(pollEvery, retryAfter * 2 ** record.failures);
      this.#readIn(record, wait * (0.5 + Math.random() / 2));
    } else {
      record.failures = 0;
      record.verdict = answer === 'missing' ? 'missing' : null;
      if (answer !== 'missing') {
        record.heard = true;
        record.order = withSnapshot(this.#isSetBack(record, answer) ? null : record.order, answer);
      }
      // A replica can answer from before the event that showed the gap.
      if (hasGap(record.order)) this.#readIn(record, retryAfter + Math.random() * gapJitter);
      this.#readUnlessLive(record);
    }
    this.#show(record);
  }

  /**
   * Whether the server has gone back to an older version for good, as one does that was restored from a backup.
   * A single older answer is from a replica that lags or overtook an event on its way here. Who was believed
   * wrongly is found out by the next read, which is never far.
   */
  #isSetBack(record: OrderRecord, { version }: Snapshot): boolean {
    if (version >= (record.order?.version ?? 0)) {
      record.olderSince = 0;
      return false;
    }
    record.olderSince ||= Date.now();
    const isSure = Date.now() - record.olderSince >= olderAgain;
    this.#readIn(record, isSure ? pollEvery : olderAgain + Math.random() * gapJitter);
    if (isSure) record.olderSince = 0;
    return isSure;
  }

  async #fetch(orderId: string): Promise<Snapshot | 'missing' | 'failed'> {
    try {
      const url = `${this.#apiUrl}/api/track/${encodeURIComponent(orderId)}`;
      // Ask again every time, but let an unchanged answer be a 304.
      const request: RequestInit = {
        cache: 'no-cache',
        credentials: 'omit',
        headers: { Accept: 'application/json' },
      };
      return await ask(url, request, async (answer) => {
        if (answer.status === 404) return 'missing';
        return (answer.ok && readSnapshot(await answer.json())) || 'failed';
      });
    } catch {
      return 'failed';
    }
  }

  #learn(record: OrderRecord, order: KnownOrder): void {
    record.order = order;
    this.#show(record);
  }

  #show(record: OrderRecord): void {
    const { view, order } = record;
    const state = this.#stateOf(order, record.verdict);
    const connection = this.#connectionOf(record);
    if (view.state === state && view.order === order && view.connection === connection) return;
    record.view = { state, order, connection };
    for (const watcher of [...record.watchers]) watcher();
  }

  #stateOf(order: KnownOrder | null, verdict: OrderRecord['verdict']): Tracking['state'] {
    if (order && order.shipments.length > 0) return 'ready';
    if (verdict) return verdict;
    return this.#apiUrl === null || order ? 'waiting' : 'loading';
  }
}

const sockets = new Map<string, Live>();
const stores = new Map<string, OrderStore>();

/** The store for these settings: one for a page, and one socket for all that share a realtime server. */
export function storeFor(config: TrackerConfig): OrderStore {
  const endpoints = endpointsOf(config);
  const key = JSON.stringify(endpoints);
  const store = stores.get(key) ?? new OrderStore(endpoints, socketFor(endpoints));
  stores.set(key, store);
  return store;
}

function socketFor({ realtime }: Endpoints): Live | null {
  if (!realtime) return null;
  const key = JSON.stringify(realtime);
  const live = sockets.get(key) ?? new Live(realtime);
  sockets.set(key, live);
  return live;
}
