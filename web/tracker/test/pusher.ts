/** A realtime server in memory, in the place of pusher-js: `vi.mock('pusher-js', () => import('../test/pusher'))`. */

type Callback = (data?: unknown) => void;

class Emitter {
  #callbacks = new Map<string, Set<Callback>>();

  bind(event: string, callback: Callback): void {
    const callbacks = this.#callbacks.get(event) ?? new Set();
    this.#callbacks.set(event, callbacks.add(callback));
  }

  unbind(): void {
    this.#callbacks.clear();
  }

  emit(event: string, data?: unknown): void {
    for (const callback of [...(this.#callbacks.get(event) ?? [])]) callback(data);
  }
}

class FakeChannel extends Emitter {
  subscribed = false;
}

export default class FakePusher {
  /** Every socket that was opened and not closed again. */
  static open: FakePusher[] = [];
  /** Every socket that was ever opened. */
  static opened = 0;

  /** The socket that is open, of which there must be one. */
  static get only(): FakePusher {
    const [pusher, ...more] = FakePusher.open;
    if (!pusher || more.length > 0) throw new Error(`${FakePusher.open.length} sockets are open`);
    return pusher;
  }

  static #played = new Map<string, (pusher: FakePusher) => void>();

  /** Plays with the next socket to a host as soon as what opened it has subscribed. */
  static whenOpened(host: string, play: (pusher: FakePusher) => void): void {
    FakePusher.#played.set(host, play);
  }

  static reset(): void {
    FakePusher.open = [];
    FakePusher.opened = 0;
  }

  connection = new Emitter();
  channels = new Map<string, FakeChannel>();

  constructor(
    readonly key: string,
    readonly options: Record<string, unknown>,
  ) {
    FakePusher.open.push(this);
    FakePusher.opened += 1;
    const play = FakePusher.#played.get(String(options.wsHost));
    if (play) queueMicrotask(() => play(this));
  }

  channel(name: string): FakeChannel | undefined {
    return this.channels.get(name);
  }

  subscribe(name: string): FakeChannel {
    const channel = this.channels.get(name) ?? new FakeChannel();
    this.channels.set(name, channel);
    return channel;
  }

  unsubscribe(name: string): void {
    this.channels.delete(name);
  }

  disconnect(): void {
    FakePusher.open = FakePusher.open.filter((pusher) => pusher !== this);
    this.connection.emit('state_change', { current: 'disconnected' });
  }

  /** The server accepts the connection and every subscription. */
  accept(): void {
    this.connection.emit('state_change', { current: 'connected' });
    for (const channel of this.channels.values()) {
      channel.subscribed = true;
      channel.emit('pusher:subscription_succeeded');
    }
  }

  /** The connection breaks. */
  drop(current = 'connecting'): void {
    for (const channel of this.channels.values()) channel.subscribed = false;
    this.connection.emit('state_change', { current });
  }

  /** What the server would be shown to open a private channel. */
  authorize(channelName: string): Promise<unknown> {
    const { customHandler } = this.options.channelAuthorization as {
      customHandler: (
        params: { socketId: string; channelName: string },
        done: (fault: Error | null, signed: unknown) => void,
      ) => void;
    };
    return new Promise((resolve, reject) => {
      const done = (fault: Error | null, signed: unknown) => (fault ? reject(fault) : resolve(signed));
      customHandler({ socketId: '1.1', channelName }, done);
    });
  }

  /** The server does not let us into a channel. */
  refuse(channelName: string): void {
    const channel = this.channels.get(channelName);
    if (channel) channel.subscribed = false;
    channel?.emit('pusher:subscription_error');
  }

  publish(orderId: string, data: unknown): void {
    this.channels.get(`order-${orderId}`)?.emit('tracking-update', data);
  }
}
