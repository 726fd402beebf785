/**
 * The layers of the agent, lowest first. A folder (or file) of `agent/src` imports from lower layers only: not from a
 * higher one, and not from another folder of its own layer. The import rules are generated from this list, and a test
 * demands that each folder is in exactly one layer.
 */
const LAYERS = [
  ['format'],
  ['log.ts', 'envReader.ts', 'configVariables.ts', 'interval.ts', 'boundedGet.ts'],
  ['contract'],
  ['signature', 'rights', 'database'],
  ['citus'],
  ['rollout'],
  ['signals', 'provisioning', 'acceptance'],
  ['metrics', 'measure'],
  ['comparison'],
  ['kind'],
  ['throttle', 'statements'],
  ['engine'],
  ['ddl'],
  ['dualWrite'],
  // One folder per capability; shared code is in lower layers.
  ['expand', 'baseline', 'backfill', 'validation', 'finalize', 'flag', 'rollback', 'monitoring', 'columnDrop'],
  ['operation'],
  ['readiness', 'group'],
  ['incident'],
  ['alert', 'evidence', 'rehearsal'],
  ['ramp'],
  ['reconcile'],
  ['config.ts'],
  ['http'],
  ['health.ts'],
  ['agent.ts'],
  ['runAgent.ts'],
  ['main.ts'],
  ['cli'],
]

/** The layers that the CLI may import: it is a client of the HTTP API, works on files itself, and starts an agent. */
const CLI_IMPORTS = [
  ...['contract', 'format', 'rollout', 'database', 'signature', 'provisioning', 'signals', 'runAgent.ts'],
  'columnDrop/inspectColumnDrop.ts',
]

module.exports = { LAYERS, CLI_IMPORTS }
