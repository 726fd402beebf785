import { defineConfig } from 'eslint/config'
import prettier from 'eslint-config-prettier'
import grafana from './.config/eslint.config.mjs'

export default defineConfig([
  { ignores: ['dist/', 'dashboard/', '.config/', 'vitest.*.ts', 'webpack.config.ts'] },
  ...grafana,
  {
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: ':matches(ObjectExpression > SpreadElement, JSXSpreadAttribute) > ObjectExpression',
          message: 'Write the properties themselves: a spread literal hides misspelled names from the compiler.',
        },
      ],
    },
  },
  prettier,
])
