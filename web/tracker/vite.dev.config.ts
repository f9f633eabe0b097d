import { defineConfig } from 'vite';

// The gallery of states, to look at while working: `npm run gallery`. Its sockets are played, not opened.
export default defineConfig({
  root: `${import.meta.dirname}/dev`,
  resolve: { alias: { 'pusher-js': `${import.meta.dirname}/test/pusher.ts` } },
  server: { host: '127.0.0.1', port: 5199 },
  build: { outDir: '../gallery', emptyOutDir: true },
});
