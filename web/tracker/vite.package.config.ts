import { defineConfig } from 'vite';

// Whatever the shell or a test says: what was built for development fails in a shop's production.
process.env.NODE_ENV = 'production';

// The npm package: React, its runtime and pusher-js stay the shop's own.
export default defineConfig({
  build: {
    outDir: 'dist',
    minify: false,
    target: 'es2022',
    lib: { entry: { index: 'src/index.ts', element: 'src/element.tsx' }, formats: ['es'] },
    rollupOptions: {
      external: [/^react(-dom)?($|\/)/, 'pusher-js'],
      // Frameworks that render on a server must know that this runs in the browser too.
      output: { banner: "'use client';" },
    },
  },
});
