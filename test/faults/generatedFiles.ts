import { format } from 'prettier'
import { ValidationLayer } from '../../agent/src/contract/index.ts'
import type { SeededFault } from './fault.ts'
import { CHECKS_WITHOUT_FAULT, FAULTS } from './faultCatalog.ts'

const HEAD = `# Seeded faults

\`npm run faults\` seeds each of these faults on real PostgreSQL servers, with a real agent and the demo service, and
validates all four layers. The last line is \`N seeded, N found, N false alarms\`. The exit code is 1 if a fault was not found
or if an unaffected check failed, either with another fault or in one of the healthy runs before each fault and after the last
one. \`-- --only NAME\` seeds one fault, and \`-- --list\` lists all faults. \`npm test\` seeds some of them, or all of them with
\`STI_FAULTS=all\`.

A fault is found if at least one of its checks fails, or, if the fault makes data unreadable or incomparable, if one is
inconclusive and says why, or, if it is no error by itself, if one passes and reports it. Checks under "may also fail" detect a consequence of the same fault. The checks of CPU, memory, and
disk measure the machine, which the faults themselves load, so their failures are never counted as false alarms.

This page is generated from \`test/faults\` (\`npm run generate\`).
`

/** Files of the repository that are generated from this folder; paths relative to the repository root. */
export async function generatedFiles(): Promise<{ path: string; text: string }[]> {
  const tables = ValidationLayer.options.map((layer) => {
    const rows = FAULTS.filter((fault) => fault.layer === layer).map(row)
    return `## ${layer}\n\n| fault | description | found by | may also fail |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
  })
  const text = await format(`${HEAD}\n${tables.join('\n')}\n${checksWithoutFault()}`, {
    parser: 'markdown',
    printWidth: 120,
  })
  return [{ path: 'docs/faults.md', text }]
}

function checksWithoutFault(): string {
  const rows = Object.entries(CHECKS_WITHOUT_FAULT).map(([check, reason]) => `| \`${check}\` | ${reason} |`)
  return `## Checks without a fault of their own\n\n| check | reason |\n| --- | --- |\n${rows.join('\n')}\n`
}

function row({ name, what, checks, unknown, reported, follows = [] }: SeededFault): string {
  const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ')
  const others = follows.filter((check) => !checks.includes(check))
  return `| ${name} | ${what} | ${code(checks)}${unknown ? ', inconclusive' : reported ? ', reported' : ''} | ${code(others)} |`
}
