/** How long an answer may take: a phone that loses its cell can leave a request that neither ends nor fails. */
export const answerWithin = 15_000;

/** What `read` makes of an answer; fails when that takes too long. */
export async function ask<T>(
  url: string,
  request: RequestInit,
  read: (answer: Response) => T | Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), answerWithin);
  try {
    return await read(await fetch(url, { ...request, signal: limit.signal }));
  } finally {
    clearTimeout(timer);
  }
}
