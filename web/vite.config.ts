import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds the gateway. */
const gateway = 'http://127.0.0.1:8080';

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
      '/api': { target: gateway, ws: true, changeOrigin: true },
      '/auth': { target: gateway, changeOrigin: true },
    },
  },
  test: { include: ['tests/**/*.test.ts'] },
});
