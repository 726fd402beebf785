const rooms = 'expand|baseline|backfill|validation|finalize|flag|rollback|monitoring|columnDrop'
/** Rooms that combine others; they lie between http and operation. */
const combining = 'alert|evidence|incident|ramp|readiness|rehearsal'

/** Imports go one way: main -> http -> evidence, readiness, ramp -> operation -> rooms -> dualWrite -> engine -> signals, rollout, database. */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'rooms-do-not-know-each-other',
      comment: 'Rollback turns the flag off through its run, not by an import.',
      severity: 'error',
      from: { path: `^agent/src/(${rooms})/`, pathNot: '[.]test[.]ts$' },
      to: { path: `^agent/src/(${rooms})/`, pathNot: '^agent/src/$1/' },
    },
    {
      name: 'rooms-do-not-look-up',
      severity: 'error',
      from: { path: `^agent/src/(${rooms})/`, pathNot: '[.]test[.]ts$' },
      to: { path: `^agent/src/(operation|http|cli|${combining})/|^agent/src/(agent|main|health|config)[.]ts$` },
    },
    {
      name: 'operation-does-not-look-up',
      severity: 'error',
      from: { path: '^agent/src/operation/', pathNot: '[.]test[.]ts$' },
      to: { path: `^agent/src/(http|cli|${combining})/|^agent/src/(agent|main)[.]ts$` },
    },
    {
      name: 'combining-rooms-do-not-look-up',
      severity: 'error',
      from: { path: `^agent/src/(${combining})/`, pathNot: '[.]test[.]ts$' },
      to: { path: '^agent/src/(http|cli)/|^agent/src/(agent|main|health|config)[.]ts$' },
    },
    {
      name: 'engine-does-not-look-up',
      severity: 'error',
      from: { path: '^agent/src/engine/', pathNot: '[.]test[.]ts$' },
      to: { path: `^agent/src/(${rooms}|${combining}|dualWrite|operation|http|cli|metrics)/` },
    },
    {
      name: 'dual-write-does-not-look-up',
      comment: 'The trigger of both stages: expand, finalize and validation need it.',
      severity: 'error',
      from: { path: '^agent/src/dualWrite/', pathNot: '[.]test[.]ts$' },
      to: { path: `^agent/src/(${rooms}|${combining}|operation|http|cli|metrics)/` },
    },
    {
      name: 'measure-does-not-look-up',
      comment: 'What a baseline and a validation share: samples, the test of a shift, the kept baselines.',
      severity: 'error',
      from: { path: '^agent/src/measure/', pathNot: '[.]test[.]ts$' },
      to: { path: `^agent/src/(${rooms}|${combining}|operation|http|cli|metrics)/` },
    },
    {
      name: 'ground-floor',
      severity: 'error',
      from: {
        path: '^agent/src/(signals|rollout|database|contract|signature|provisioning)/',
        pathNot: '[.]test[.]ts$',
      },
      to: { path: `^agent/src/(${rooms}|${combining}|measure|operation|http|cli|metrics)/` },
    },
    {
      name: 'http-does-not-know-main',
      severity: 'error',
      from: { path: '^agent/src/(http|metrics)/', pathNot: '[.]test[.]ts$' },
      to: { path: '^agent/src/(agent|main)[.]ts$|^agent/src/cli/' },
    },
    {
      name: 'cli-is-a-client',
      comment:
        'The command knows the contract, reads rollout files for sti check, signatures for sti verify and alert rules for sti provisioning; nothing else of the agent.',
      severity: 'error',
      from: { path: '^agent/src/cli/', pathNot: '[.]test[.]ts$' },
      to: { path: '^agent/src/', pathNot: '^agent/src/(cli|contract|rollout|database|signature|provisioning)/' },
    },
    {
      name: 'plugin-knows-the-contract-only',
      severity: 'error',
      from: { path: '^plugin/' },
      to: { path: '^agent/src/', pathNot: '^agent/src/(contract/|metrics/(names|source)[.]ts)' },
    },
    {
      name: 'no-test-in-production',
      severity: 'error',
      from: { pathNot: '^bench/|[.]test[.]ts$|^test/|[.]testing[.]ts$|/testing/' },
      to: { path: '[.]test[.]ts$|^test/|[.]testing[.]ts$|/testing/' },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/|^plugin/.config/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.js'],
    },
  },
}
