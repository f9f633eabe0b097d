import { defineConfig } from 'vitest/config';
import { preactForReact } from './vite.preact.ts';

// What is drawn is tested with both runtimes it is shipped with; the rest knows neither.
const drawn = 'src/**/*.test.tsx';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'logic', include: ['src/**/*.test.ts'] } },
      { test: { name: 'react', include: [drawn], environment: 'jsdom', setupFiles: 'test/setup.ts' } },
      {
        resolve: {
          alias: { ...preactForReact, '@testing-library/react': `${import.meta.dirname}/test/preact.ts` },
        },
        test: {
          name: 'preact',
          include: [drawn],
          environment: 'jsdom',
          setupFiles: 'test/setup.ts',
          // All of them must find the same copy of it.
          server: { deps: { inline: [/preact/] } },
        },
      },
    ],
  },
});
