import js from '@eslint/js'
import prettier from 'eslint-config-prettier'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  globalIgnores([
    '**/dist/**',
    '**/node_modules/**',
    'plugin/src/**',
    'plugin/.config/**',
    'plugin/*.*',
    '.demo/**',
    '**/.venv/**',
  ]),
  js.configs.recommended,
  { files: ['**/*.cjs'], languageOptions: { globals: { module: 'writable', require: 'readonly' } } },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.js', '*.cjs', 'agent/bin/*.js'] } },
    },
    rules: {
      // A promise that nobody awaits is work that may never have happened.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      // No code here uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allow: [{ name: ['Error', 'URL'], from: 'lib' }] },
      ],
      '@typescript-eslint/only-throw-error': 'error',
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[callee.property.name=/^(begin|reserve)$/][callee.object.name=/sql|state|urgent|engine/i]',
          message: 'A connection that dies under begin or reserve() can end the process: see database/connect.ts.',
        },
        {
          selector: 'ObjectExpression > SpreadElement > ObjectExpression',
          message: 'Write the properties themselves: a spread literal hides misspelled names from the compiler.',
        },
      ],
    },
  },
  {
    files: ['**/*.js', '**/*.cjs', 'plugin/dashboard/**', 'test/grafana/**', 'bench/pages/**'],
    extends: [tseslint.configs.disableTypeChecked],
  },
  {
    files: ['test/applications/node/**'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        fetch: 'readonly',
        AbortSignal: 'readonly',
        performance: 'readonly',
        URL: 'readonly',
      },
    },
  },
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  {
    files: ['**/*.test.ts', '**/testing/**', 'test/**', 'bench/**', 'demo/start/**'],
    rules: {
      'no-console': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  // Playwright uses the empty pattern to mark a test without fixtures.
  { files: ['test/grafana/**'], rules: { 'no-empty-pattern': 'off' } },
  prettier,
)
