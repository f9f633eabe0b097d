/**
 * One socket to a realtime server, shared by everything on a page that listens to it. It opens with
 * the first channel, counts who listens to each, and closes when nobody does.
 */
import Pusher, { type ChannelAuthorizationCallback } from 'pusher-js';
import type { Realtime } from './config';
import { ask } from './request';

/**
 * off: nothing live can be had · connecting: not yet · live · reconnecting: lost for more than a moment ·
 * offline: the device has no network.
 */
export type ConnectionState = 'off' | 'connecting' | 'live' | 'reconnecting' | 'offline';

/** What a listener to a channel is told. */
export interface ChannelListener {
  /** The server has confirmed the subscription: at first, and again after every reconnect. */
  joined(): void;
  /** The server will not have this listener, so that nothing comes; it is asked again now and then. */
  refused(): void;
  received(data: unknown): void;
}

/** Who signs for a private channel, and what he is shown. */
export interface Access {
  endpoint: string;
  token(): string | undefined | Promise<string | undefined>;
}

/** A shorter loss is not worth a word: most are a phone changing its cell. */
export const patience = 3_000;

/** A channel left for less than this is kept, so that moving from page to page does not drop it. */
export const lingers = 1_000;

/**
 * How long a connection may take before it is begun anew, doubled with every time up to a minute. Left to
 * itself pusher-js 8.6 tries only every 15 seconds and longer, and after two short-lived connections or a
 * refusal never again.
 */
export const reviveAfter = 8_000;
const reviveAtMost = 60_000;

/** A token may have been renewed since a channel was refused. */
export const askAgainAfter = 60_000;

export const updateEvent = 'tracking-update';

type Signed = Parameters<ChannelAuthorizationCallback>[1];

interface Channel {
  listeners: Set<ChannelListener>;
  access: Access | null;
  asking: ReturnType<typeof setTimeout> | undefined;
  leaving: ReturnType<typeof setTimeout> | undefined;
}

export class Live {
  #realtime: Realtime;
  #pusher: Pusher | null = null;
  #channels = new Map<string, Channel>();
  #watchers = new Set<() => void>();
  #state: ConnectionState = 'connecting';
  #losing: ReturnType<typeof setTimeout> | undefined;
  #reviving: ReturnType<typeof setTimeout> | undefined;
  #revivals = 0;

  constructor(realtime: Realtime) {
    this.#realtime = realtime;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Calls back after every change of state until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Listens to a channel until the returned function is called; a private one needs access. */
  join(name: string, listener: ChannelListener, access: Access | null = null): () => void {
    const channel = this.#channels.get(name) ?? this.#open(name, access);
    channel.access = access;
    clearTimeout(channel.leaving);
    channel.leaving = undefined;
    channel.listeners.add(listener);
    // It was refused: who comes now may have a better token.
    if (channel.asking) this.#askAgain(name, channel);
    if (this.#pusher?.channel(name)?.subscribed) listener.joined();
    return () => {
      channel.listeners.delete(listener);
      if (channel.listeners.size > 0 || channel.leaving) return;
      channel.leaving = setTimeout(() => this.#close(name), lingers);
    };
  }

  #open(name: string, access: Access | null): Channel {
    const channel: Channel = { listeners: new Set(), access, asking: undefined, leaving: undefined };
    this.#channels.set(name, channel);
    this.#pusher ??= this.#connect();
    this.#subscribe(this.#pusher, name, channel);
    return channel;
  }

  #close(name: string): void {
    clearTimeout(this.#channels.get(name)?.asking);
    this.#channels.delete(name);
    this.#pusher?.channel(name)?.unbind();
    this.#pusher?.unsubscribe(name);
    if (this.#channels.size > 0) return;
    this.#disconnect();
    this.#revivals = 0;
    this.#become('connecting');
  }

  #subscribe(pusher: Pusher, name: string, channel: Channel): void {
    const { listeners } = channel;
    const subscription = pusher.subscribe(name);
    subscription.bind('pusher:subscription_error', () => {
      for (const listener of [...listeners]) listener.refused();
      clearTimeout(channel.asking);
      channel.asking = setTimeout(
        () => this.#askAgain(name, channel),
        askAgainAfter * (1 + Math.random() / 4),
      );
    });
    subscription.bind('pusher:subscription_succeeded', () => {
      for (const listener of [...listeners]) listener.joined();
    });
    subscription.bind(updateEvent, (data: unknown) => {
      for (const listener of [...listeners]) listener.received(data);
    });
  }

  #askAgain(name: string, channel: Channel): void {
    clearTimeout(channel.asking);
    channel.asking = undefined;
    const pusher = this.#pusher;
    if (this.#channels.get(name) !== channel || !pusher || pusher.channel(name)?.subscribed) return;
    pusher.channel(name)?.unbind();
    pusher.unsubscribe(name);
    this.#subscribe(pusher, name, channel);
  }

  async #authorize(socketId: string, name: string): Promise<Signed> {
    const access = this.#channels.get(name)?.access;
    if (!access) throw new Error(`nobody signs for ${name}`);
    const form = new URLSearchParams({ socket_id: socketId, channel_name: name });
    const token = await access.token();
    if (token) form.set('token', token);
    return ask(access.endpoint, { method: 'POST', body: form }, (answer) => {
      if (!answer.ok) throw new Error(`${name} was refused with ${answer.status}`);
      return answer.json();
    });
  }

  #connect(): Pusher {
    const { key, host, port, tls, cluster } = this.#realtime;
    const pusher = new Pusher(key, {
      cluster,
      forceTLS: tls,
      enableStats: false,
      enabledTransports: ['ws', 'wss'],
      channelAuthorization: {
        customHandler: ({ socketId, channelName }, done) => {
          this.#authorize(socketId, channelName).then(
            (signed) => done(null, signed),
            (fault) => done(fault, null),
          );
        },
      },
      ...(host === null ? {} : { wsHost: host, wsPort: port, wssPort: port }),
    });
    pusher.connection.bind('state_change', ({ current }: { current: string }) => this.#changed(current));
    this.#reviveLater();
    return pusher;
  }

  #disconnect(): void {
    clearTimeout(this.#reviving);
    this.#reviving = undefined;
    this.#pusher?.connection.unbind();
    this.#pusher?.disconnect();
    this.#pusher = null;
  }

  #reviveLater(): void {
    const wait = Math.min(reviveAtMost, reviveAfter * 2 ** this.#revivals) * (0.75 + Math.random() / 2);
    this.#reviving ??= setTimeout(() => {
      this.#revivals += 1;
      this.#disconnect();
      this.#pusher = this.#connect();
      for (const [name, channel] of this.#channels) this.#subscribe(this.#pusher, name, channel);
    }, wait);
  }

  /** pusher-js 8.6: connecting, connected, unavailable, failed (no WebSocket), disconnected (refused). */
  #changed(current: string): void {
    if (current === 'connected') {
      clearTimeout(this.#reviving);
      this.#reviving = undefined;
      this.#revivals = 0;
      this.#become('live');
      return;
    }
    this.#reviveLater();
    if (current === 'failed' || current === 'disconnected') {
      this.#become('off');
    } else if (this.#state === 'live') {
      this.#losing ??= setTimeout(() => this.#become(lost()), patience);
    } else if (this.#state !== 'off' && (this.#state !== 'connecting' || current === 'unavailable')) {
      this.#become(lost());
    }
  }

  #become(state: ConnectionState): void {
    clearTimeout(this.#losing);
    this.#losing = undefined;
    if (state === this.#state) return;
    this.#state = state;
    for (const watcher of [...this.#watchers]) watcher();
  }
}

function lost(): ConnectionState {
  return typeof navigator !== 'undefined' && navigator.onLine === false ? 'offline' : 'reconnecting';
}
