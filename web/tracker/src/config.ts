/**
 * Where to listen and where to read: from props or attributes, and else from the variables that
 * Next.js puts into the bundle.
 */

/** Settings as a shop gives them. Each one left out is taken from its `NEXT_PUBLIC_…` variable. */
export interface TrackerConfig {
  /** Where Waybill answers, such as `https://track.example.in`; `''` is the page's own host. Without it there are no snapshots, only `order` and live events. `NEXT_PUBLIC_WAYBILL_URL` */
  apiUrl?: string | undefined;
  /** Key of the realtime app. Without it nothing is live. `NEXT_PUBLIC_SOKETI_KEY` */
  soketiKey?: string | undefined;
  /** Host of the realtime server; default: the host of `apiUrl`. `NEXT_PUBLIC_SOKETI_HOST` */
  soketiHost?: string | undefined;
  /** Its port; default: 443 with TLS, else 80. `NEXT_PUBLIC_SOKETI_PORT` */
  soketiPort?: number | string | undefined;
  /** Whether it speaks TLS; default: as `apiUrl` or the page does. `NEXT_PUBLIC_SOKETI_TLS` */
  soketiTls?: boolean | string | undefined;
  /** Cluster of hosted Pusher, when there is no host of one's own. `NEXT_PUBLIC_SOKETI_CLUSTER` */
  soketiCluster?: string | undefined;
}

/** How an order's private channel is opened, where its public one is not spoken on. */
export interface PrivateChannel {
  /** The order's watch token, or a function that gets a fresh one; with it the tracker listens to the private channel. */
  watchToken?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /** Who signs for the private channel: default `{apiUrl}/api/realtime/auth`. It is sent `socket_id`, `channel_name` and `token` as a form. */
  authEndpoint?: string | undefined;
}

/** A realtime server. Without a host it is hosted Pusher's cluster. */
export interface Realtime {
  key: string;
  host: string | null;
  port: number;
  tls: boolean;
  cluster: string;
}

export interface Endpoints {
  /** Base URL without a slash at its end; null when there is no API to ask. */
  apiUrl: string | null;
  realtime: Realtime | null;
}

/** Whether anything live is hoped for: known on a server too, which does not know the page's own host. */
export function isKeyed(config: TrackerConfig): boolean {
  return Boolean(config.soketiKey ?? variables.key());
}

/** The endpoints that settings and variables name together. */
export function endpointsOf(config: TrackerConfig): Endpoints {
  const apiUrl = config.apiUrl ?? variables.apiUrl();
  const key = config.soketiKey ?? variables.key();
  const base = apiUrl === undefined ? null : apiUrl.replace(/\/+$/, '');
  if (!key) return { apiUrl: base, realtime: null };

  const cluster = config.soketiCluster ?? variables.cluster() ?? '';
  const origin = originOf(base);
  const host = (config.soketiHost ?? variables.host()) || (cluster ? null : (origin?.hostname ?? null));
  const ownHost = host !== null && host === origin?.hostname;
  const tls = flag(config.soketiTls ?? variables.tls()) ?? (origin ? origin.protocol === 'https:' : true);
  const standard = tls ? 443 : 80;
  const port = Number(config.soketiPort ?? variables.port()) || (ownHost && Number(origin.port)) || standard;
  return { apiUrl: base, realtime: host || cluster ? { key, host, port, tls, cluster } : null };
}

/** The page's own location stands in where no API is named or it is relative; on a server there may be none. */
function originOf(apiUrl: string | null): URL | null {
  const page = typeof location === 'undefined' ? undefined : location.href;
  try {
    return new URL(apiUrl || '/', page);
  } catch {
    return null;
  }
}

function flag(value: boolean | string | undefined): boolean | undefined {
  if (typeof value !== 'string') return value;
  if (value === '') return undefined;
  return value === 'true' || value === '1';
}

// Each variable is named in full, because bundlers replace the whole expression and nothing else;
// where none did, and there is no `process`, it counts as not set.
const variables = {
  apiUrl: () => read(() => process.env.NEXT_PUBLIC_WAYBILL_URL),
  key: () => read(() => process.env.NEXT_PUBLIC_SOKETI_KEY),
  host: () => read(() => process.env.NEXT_PUBLIC_SOKETI_HOST),
  port: () => read(() => process.env.NEXT_PUBLIC_SOKETI_PORT),
  tls: () => read(() => process.env.NEXT_PUBLIC_SOKETI_TLS),
  cluster: () => read(() => process.env.NEXT_PUBLIC_SOKETI_CLUSTER),
};

function read(variable: () => string | undefined): string | undefined {
  try {
    return variable() || undefined;
  } catch {
    return undefined;
  }
}
