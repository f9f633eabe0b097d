import { defineConfig } from 'vite';

// The gallery of states, to look at while working: `npm run dev`.
export default defineConfig({
  root: 'dev',
  server: { host: '127.0.0.1', port: 5199 },
  build: { outDir: '../gallery', emptyOutDir: true },
});
