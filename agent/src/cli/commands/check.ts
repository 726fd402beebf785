import { resolve } from 'node:path'
import type { Rollout } from '../../rollout/rollout.ts'
import { CliError, Exit } from '../exit.ts'
import type { Register } from '../session.ts'
import { output, type Terminal } from '../terminal.ts'

interface CheckOptions {
  readonly json?: boolean
}

export const registerCheck: Register = (program, run) => {
  program
    .command('check')
    .description('check a rollout file; every fault with its line. Needs no agent')
    .argument('<file>', 'the rollout file')
    .option('--json', 'one JSON value per line, for machines')
    .action(run(check))
}

async function check(terminal: Terminal, file: string, options: CheckOptions): Promise<Exit> {
  const out = output(terminal, options.json ?? false)
  // Loaded here: it brings PostgreSQL's parser, which no other command needs.
  const { loadRollout, RolloutFaults } = await import('../../rollout/compile.ts')
  let rollout: Rollout
  try {
    rollout = await loadRollout(resolve(terminal.cwd, file))
  } catch (error) {
    if (!(error instanceof RolloutFaults)) throw error
    const faults = error.faults.length
    const count = faults === 1 ? 'a fault' : `${faults} faults`
    throw new CliError(Exit.failed, 'faults', `${file} has ${count}:`, error.faults)
  }
  const { name, table, types, legacyColumns, hash } = rollout
  out.line(`${file} is fine: rollout ${name}, table ${table.sql}, ${legacyColumns.join(', ')} -> ${types.join(', ')}.`)
  out.value({ file, rollout: name, table: table.sql, types, legacyColumns, hash })
  return Exit.done
}
