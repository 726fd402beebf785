import { format } from 'prettier'
import { ValidationLayer } from '../../agent/src/contract/index.ts'
import type { SeededFault } from './fault.ts'
import { FAULTS } from './faultCatalog.ts'

const HEAD = `# Seeded faults

\`npm run faults\` seeds each of these kinds of fault in turn, on real PostgreSQL servers with a real agent and the demo's
real service beside it, and validates all four layers. It ends with \`N seeded, N found, N false alarms\`, and with exit code
1 when a fault was not found, or when a check failed that nothing was wrong with: with another fault seeded, or in one of
the healthy runs before each fault and after the last one. \`-- --only NAME\` seeds one, \`-- --list\` says which there are;
\`npm test\` seeds some of them, and all of them with \`STI_FAULTS=all\`.

A fault is found when at least one of its checks fails; where it takes away what there is to read or to compare with, when
one is inconclusive and says why. The checks that may follow see the same fault from another side. The agent's checks of
processor time, memory and disk speak of the machine, which the faults load themselves: a fail of theirs is found
where it is seeded, and never counted as a false alarm.

This table is made from \`test/faults\` (\`npm run generate\`).
`

/** Files of the repository that are made from this folder; paths from its root. */
export async function generatedFiles(): Promise<{ path: string; text: string }[]> {
  const tables = ValidationLayer.options.map((layer) => {
    const rows = FAULTS.filter((fault) => fault.layer === layer).map(row)
    return `## ${layer}\n\n| fault | what is seeded | found by | may follow |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
  })
  const text = await format(`${HEAD}\n${tables.join('\n')}`, { parser: 'markdown', printWidth: 120 })
  return [{ path: 'docs/faults.md', text }]
}

function row({ name, what, checks, unknown, follows = [] }: SeededFault): string {
  const code = (names: readonly string[]): string => names.map((one) => `\`${one}\``).join(', ')
  const others = follows.filter((one) => !checks.includes(one))
  return `| ${name} | ${what} | ${code(checks)}${unknown ? ', inconclusive' : ''} | ${code(others)} |`
}
