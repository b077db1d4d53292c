import { defineConfig } from 'vite';

/** Builds the page's first script beside the extension that `jupyterlab-builder` has built. */
export default defineConfig({
  publicDir: false,
  logLevel: 'warn',
  build: {
    outDir: 'hexhub_lesson/labextension/static',
    emptyOutDir: false,
    target: 'es2022',
    lib: {
      entry: 'src/early/index.ts',
      formats: ['iife'],
      name: 'hexhubEarlyView',
      fileName: () => 'early.js',
      cssFileName: 'early',
    },
  },
});
