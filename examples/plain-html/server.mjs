// Serves the two pages, as a shop's templates would: /element/{order id} and
// /frame/{order id}. PORT and WAYBILL_URL are its settings.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const { PORT = '3001', WAYBILL_URL = 'http://127.0.0.1:5000' } = process.env;

createServer(async ({ url }, answer) => {
  const [, page, order] = /^\/(element|frame)\/([A-Za-z0-9_-]+)$/.exec(url) ?? [];
  if (!page) {
    answer.writeHead(404).end('Try /element/{order id} or /frame/{order id}\n');
    return;
  }
  const html = await readFile(new URL(`${page}.html`, import.meta.url), 'utf8');
  answer.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  answer.end(html.replaceAll('{{waybill}}', WAYBILL_URL).replaceAll('{{order}}', order));
}).listen(PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${PORT}`));
