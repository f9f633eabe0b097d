/** The package as a shop gets it: packed, installed beside its peers, imported, typed and rendered on a server. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';

const here = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
let shop;

const run = (command, args, cwd, env = process.env) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] });
const found = (name) => dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)));
const installed = (...path) => join(shop, 'node_modules', manifest.name, ...path);

beforeAll(() => {
  shop = mkdtempSync(join(tmpdir(), 'waybill-shop-'));
  run('npm', ['run', '--silent', 'build:package'], here);
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', shop], here));
  // What the shop has already comes from here, so that the test needs no network.
  const link = (...names) => Object.fromEntries(names.map((name) => [name, `file:${found(name)}`]));
  writeFileSync(
    join(shop, 'package.json'),
    JSON.stringify({
      private: true,
      type: 'module',
      dependencies: {
        [manifest.name]: `file:${join(shop, packed.filename)}`,
        ...link('react', 'react-dom', '@types/react'),
      },
      overrides: link('react', 'react-dom', '@types/react', 'pusher-js'),
    }),
  );
  run(
    'npm',
    ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'],
    shop,
  );
});
afterAll(() => rmSync(shop, { recursive: true, force: true }));

test('every export is a file of the package, and says that it runs in browsers', () => {
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  expect(targets.filter((target) => !existsSync(installed(target)))).toEqual([]);
  for (const target of targets.filter((name) => name.endsWith('.js'))) {
    expect(readFileSync(installed(target), 'utf8')).toMatch(/^['"]use client['"];/);
  }
  expect(Object.keys(manifest.dependencies)).toEqual(['pusher-js']);
});

test('it is imported and rendered on a server', () => {
  writeFileSync(
    join(shop, 'render.mjs'),
    `import { createElement } from 'react';
     import { renderToString } from 'react-dom/server';
     import { OrderTracker, OrderTrackerStatus } from '${manifest.name}';
     import { defineOrderTracker } from '${manifest.name}/element';
     if (OrderTracker.Status !== OrderTrackerStatus || typeof defineOrderTracker !== 'function') throw new Error('parts');
     const order = { shipping: { awb_code: '19041424751540', current_status: 'OUT FOR DELIVERY' } };
     console.log(renderToString(createElement(OrderTracker, { orderId: 'a', order, lang: 'hi' })));`,
  );
  for (const NODE_ENV of ['development', 'production']) {
    const html = run('node', ['render.mjs'], shop, { ...process.env, NODE_ENV });
    expect(html).toContain('पार्सल डिलीवरी के लिए निकल चुका है');
    expect(html).toContain('19041424751540');
  }
});

test('who uses the hook alone ships none of the parts', async () => {
  writeFileSync(
    join(shop, 'hook.mjs'),
    `import { useOrderTracking } from '${manifest.name}'; console.log(useOrderTracking);`,
  );
  const bundle = await build({
    build: {
      lib: { entry: join(shop, 'hook.mjs'), formats: ['es'] },
      rollupOptions: { external: [/^react/, 'pusher-js'] },
      write: false,
    },
    configFile: false,
    logLevel: 'error',
    root: shop,
  });
  const [{ code }] = bundle[0].output;
  expect(code).toContain('/api/track/');
  expect(code).not.toContain('waybill-timeline');
});

test.each(['bundler', 'nodenext'])('its types are whole for a strict shop: %s', (moduleResolution) => {
  writeFileSync(
    join(shop, 'page.tsx'),
    `import { OrderTracker, type Milestone, type Snapshot, useOrderTracking } from '${manifest.name}';
     import { defineOrderTracker } from '${manifest.name}/element';
     const milestone: Milestone = 'rto_delivered';
     // @ts-expect-error: there is no such milestone
     const none: Milestone = 'teleported';
     export function Page({ order }: { order: Snapshot }) {
       const { state, refresh } = useOrderTracking(order.orderId, { order, watchToken: async () => 'token' });
       return (
         <OrderTracker.Root headingLevel={2} lang="hi" orderId={order.orderId} theme="dark" onClick={refresh}>
           <OrderTracker.Status data-state={state} />
           <OrderTracker.Timeline initial={5} />
           {/* @ts-expect-error: a theme is one of three */}
           <OrderTracker orderId="a" theme="sepia" />
         </OrderTracker.Root>
       );
     }
     export const unused = [milestone, none, defineOrderTracker];`,
  );
  const options = {
    compilerOptions: {
      strict: true,
      noEmit: true,
      jsx: 'react-jsx',
      target: 'ES2022',
      lib: ['ES2023', 'DOM'],
      module: moduleResolution === 'bundler' ? 'esnext' : 'nodenext',
      moduleResolution,
      types: [],
    },
    files: ['page.tsx'],
  };
  writeFileSync(join(shop, 'tsconfig.json'), JSON.stringify(options));
  const tsc = join(found('typescript'), 'bin/tsc');
  try {
    run('node', [tsc, '-p', '.'], shop);
  } catch (fault) {
    expect(fault.stdout).toBe('');
  }
});
