import { ask } from './request';

/** How long before its end a token is replaced, so that it does not end on its way. */
const margin = 60_000;

/**
 * A page that stays open longer than its watch token is good for: before it is used again the token
 * is read off the page's own address, as a reload would. What cannot be had leaves the old one,
 * which the server refuses, and the tracker polls.
 */
export function renewing(token: string, address: string): () => Promise<string> {
  let current = token;
  return async () => {
    if (endOf(current) - Date.now() > margin) return current;
    try {
      const html = await ask(address, { headers: { accept: 'text/html' } }, (answer) =>
        answer.ok ? answer.text() : '',
      );
      const page = new DOMParser().parseFromString(html, 'text/html');
      const settings: unknown = JSON.parse(page.getElementById('settings')?.textContent ?? '{}');
      const fresh = (settings as { watchToken?: unknown }).watchToken;
      if (typeof fresh === 'string') current = fresh;
    } catch {
      // The old one is tried.
    }
    return current;
  };
}

/** When the token ends: it begins with that, in seconds, in base 36. */
function endOf(token: string): number {
  return Number.parseInt(token.split('.')[0] ?? '', 36) * 1000 || 0;
}
