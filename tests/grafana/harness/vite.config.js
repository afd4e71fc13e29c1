import { defineConfig } from 'vite';

export default defineConfig({
  define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}', global: 'globalThis' },
  build: { minify: false, chunkSizeWarningLimit: Infinity },
  resolve: {
    alias: { 'react-router-dom-v5-compat': 'react-router-dom' },
    dedupe: ['react', 'react-dom', '@grafana/data', '@grafana/ui', '@grafana/runtime'],
  },
});
