const { LAYERS, CLI_IMPORTS } = require('./layers.cjs')

const isFile = (name) => name.endsWith('.ts')
const escaped = (name) => name.replace('.', '[.]')
const pattern = (name) => `^agent/src/${escaped(name)}${isFile(name) ? '$' : '/'}`
const TESTS = '[.]test[.]ts$|[.]testing[.]ts$|/testing/'

/** A layer imports nothing of the layers above it, and its folders do not import each other. */
const layerRules = LAYERS.flatMap((layer, index) => {
  const above = LAYERS.slice(index + 1).flat()
  return layer.map((name) => ({
    name: `${name}-imports-lower-layers-only`,
    severity: 'error',
    from: { path: pattern(name), pathNot: TESTS },
    to: { path: [...above, ...layer.filter((sibling) => sibling !== name)].map(pattern).join('|') || '^$' },
  }))
})

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: { pathNot: TESTS }, to: { circular: true } },
    ...layerRules,
    {
      name: 'cli-is-a-client',
      severity: 'error',
      from: { path: '^agent/src/cli/', pathNot: TESTS },
      to: { path: '^agent/src/', pathNot: ['cli', ...CLI_IMPORTS].map(pattern).join('|') },
    },
    {
      name: 'plugin-knows-the-contract-only',
      severity: 'error',
      from: { path: '^plugin/', pathNot: '^plugin/dashboard/' },
      to: { path: '^agent/src/', pathNot: '^agent/src/(contract|format)/' },
    },
    {
      name: 'dashboard-knows-contract-metrics-and-panel-names',
      severity: 'error',
      from: { path: '^plugin/dashboard/' },
      to: {
        path: '^agent/src/',
        pathNot: '^agent/src/(contract/|format/|metrics/(names|metricsSource)[.]ts|provisioning/dashboardPanels[.]ts)',
      },
    },
    {
      name: 'no-test-in-production',
      severity: 'error',
      from: { pathNot: '^bench/|^test/|[.]test[.]ts$|[.]testing[.]ts$|/testing/' },
      to: { path: '^test/|[.]test[.]ts$|[.]testing[.]ts$|/testing/' },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // The applications of the tests have packages of their own.
    exclude: { path: '/dist/|^plugin/.config/|^test/applications/(node|python)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js'],
    },
  },
}
