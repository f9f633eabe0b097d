import { defineConfig } from 'vitest/config';
import { preactForReact } from './vite.preact.ts';

// Viewers of the tests live in India.
process.env.TZ = 'Asia/Kolkata';

// axe takes seconds in jsdom on a busy machine.
const testTimeout = 60_000;

// What is drawn is tested with both runtimes it is shipped with, and with the oldest React that it is for; the rest
// knows none of them.
const drawn = 'src/**/*.test.tsx';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'logic', include: ['src/**/*.test.ts'] } },
      {
        test: {
          name: 'whole',
          include: ['test/**/*.test.mjs'],
          // A browser starts, a package is built.
          testTimeout: 3 * testTimeout,
          hookTimeout: 3 * testTimeout,
        },
      },
      {
        test: {
          name: 'react',
          include: [drawn],
          environment: 'jsdom',
          setupFiles: 'test/setup.ts',
          testTimeout,
        },
      },
      {
        resolve: {
          alias: {
            'react-dom': `${import.meta.dirname}/test/react18/node_modules/react-dom`,
            react: `${import.meta.dirname}/test/react18/node_modules/react`,
            // Its modules: what it requires would be the other React.
            '@testing-library/react': '@testing-library/react/dist/@testing-library/react.esm.js',
          },
        },
        test: {
          name: 'react 18',
          include: [drawn],
          environment: 'jsdom',
          setupFiles: 'test/setup.ts',
          testTimeout,
          // All of them must find the same copy of it.
          server: { deps: { inline: [/testing-library/] } },
        },
      },
      {
        resolve: {
          alias: { ...preactForReact, '@testing-library/react': `${import.meta.dirname}/test/preact.ts` },
        },
        test: {
          name: 'preact',
          include: [drawn],
          // Preact draws no page that a server drew before.
          exclude: ['src/hydration.test.tsx'],
          environment: 'jsdom',
          setupFiles: 'test/setup.ts',
          testTimeout,
          // All of them must find the same copy of it.
          server: { deps: { inline: [/preact/] } },
        },
      },
    ],
  },
});
