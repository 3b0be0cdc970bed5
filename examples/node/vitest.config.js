import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: './originmap.setup.js',
    fileParallelism: false, // all test files use one server
  },
});
