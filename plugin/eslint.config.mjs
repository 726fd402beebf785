import { defineConfig } from 'eslint/config'
import prettier from 'eslint-config-prettier'
import grafana from './.config/eslint.config.mjs'

export default defineConfig([
  { ignores: ['dist/', 'dashboard/', '.config/', 'vitest.*.ts', 'webpack.config.ts'] },
  ...grafana,
  prettier,
])
