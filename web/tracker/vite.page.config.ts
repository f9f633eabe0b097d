import { defineConfig } from 'vite';
import { preactForReact } from './vite.preact.ts';

// Whatever the shell or a test says: what was built for development fails in a shop's production.
process.env.NODE_ENV = 'production';

// The hosted tracking page: hashed files that a browser may keep for ever, and a manifest that names them.
export default defineConfig({
  root: 'src',
  base: '/assets/',
  resolve: { alias: preactForReact },
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    outDir: '../../dist/assets',
    emptyOutDir: true,
    manifest: 'manifest.json',
    modulePreload: false,
    target: ['chrome111', 'firefox115', 'safari16.2'],
    rollupOptions: {
      input: { tracking: 'src/page.tsx' },
      output: { entryFileNames: '[name]-[hash].js', assetFileNames: '[name]-[hash][extname]' },
    },
  },
});
