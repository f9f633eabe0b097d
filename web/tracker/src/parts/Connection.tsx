import type { ComponentProps } from 'react';
import { useNow } from '../clock';
import { useTracker } from '../context';
import { agoInWords } from '../dates';
import { fill } from '../vocabulary';

/** Whether what is shown is live, and how fresh it is. */
export function Connection({ className = '', ...rest }: ComponentProps<'p'>) {
  const { tracking, messages } = useTracker();
  const now = useNow();
  const { labels } = messages;
  const { connection, order } = tracking;
  const words = {
    off: null,
    connecting: labels.connecting,
    live: labels.live,
    reconnecting: labels.reconnecting,
    offline: labels.offline,
  }[connection];
  const ago = now === null ? null : agoInWords(order?.updatedAt ?? null, now, messages);
  const freshness = ago && fill(labels.updated, { ago });
  const text = [words, freshness].filter(Boolean).join(' · ');
  if (!text) return null;
  return (
    <p {...rest} className={`waybill-connection ${className}`.trim()} data-connection={connection}>
      {text}
    </p>
  );
}
