import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds the gateway, which takes what changes something from its own pages alone. */
const gateway = 'http://127.0.0.1:8080';
const headers = { origin: gateway };

export default defineConfig({
  plugins: [svelte()],
  build: {
    // The first versions that know light-dark(); older ones would need every colour twice.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      '/api': { target: gateway, ws: true, changeOrigin: true, headers },
      '/auth': { target: gateway, changeOrigin: true, headers },
    },
  },
  test: { include: ['tests/**/*.test.ts'] },
});
