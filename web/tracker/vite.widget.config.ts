import { defineConfig } from 'vite';
import { preactForReact } from './vite.preact.ts';

// Whatever the shell or a test says: what was built for development fails in a shop's production.
process.env.NODE_ENV = 'production';

// One script with everything in it, for a plain <script> tag on any page.
export default defineConfig({
  resolve: { alias: preactForReact },
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    outDir: '../dist/embed',
    emptyOutDir: true,
    target: ['chrome111', 'firefox115', 'safari16.4'],
    lib: { entry: 'src/widget.ts', formats: ['iife'], name: 'waybill', fileName: () => 'order-tracker.js' },
  },
});
