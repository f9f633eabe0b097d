/**
 * Finishes the package's declarations, so that they hold for shops of every setting: paths get the endings that
 * Node's own resolution asks for, and an imported JSON file becomes its type.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const types = join(import.meta.dirname, '../dist/types');
const sources = join(import.meta.dirname, '../src');

for (const name of readdirSync(types, { recursive: true }).filter((name) => name.endsWith('.d.ts'))) {
  const finished = readFileSync(join(types, name), 'utf8')
    .replace(/^import (\w+) from '(\..+\.json)';$/gm, (_, word, path) => {
      const json = JSON.parse(readFileSync(join(sources, dirname(name), path), 'utf8'));
      return `declare const ${word}: ${typeOf(json)};`;
    })
    .replace(/(from|import) '(\.[^']+)'/g, (whole, word, path) =>
      path.endsWith('.js') ? whole : `${word} '${path}.js'`,
    )
    .replace(/import\('(\.[^']+)'\)/g, "import('$1.js')");
  writeFileSync(join(types, name), finished);
}

function typeOf(json) {
  if (Array.isArray(json)) return `${typeOf(json[0])}[]`;
  if (typeof json !== 'object') return typeof json;
  const fields = Object.entries(json).map(([key, value]) => `${JSON.stringify(key)}: ${typeOf(value)}`);
  return `{ ${fields.join('; ')} }`;
}
