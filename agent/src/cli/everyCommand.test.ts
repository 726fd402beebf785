import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { expect, onTestFinished, test } from 'vitest'
import { TOKENS, withAgent } from '../../../test/support/agent.ts'
import { withDatabase } from '../../../test/support/database.ts'
import { newSigningKey } from '../../../test/support/signingKeys.ts'
import { createVehicles, VEHICLES_FILE } from '../../../test/support/vehicles.ts'
import { createProgram, runProgram } from './program.ts'

/**
 * Every command of the program, in an order in which each finds what it needs, with its exit code (docs/cli.md). `URL` is the
 * database. What changes nothing also runs in terminals: `reads` in all widths, an operation in the narrowest.
 */
const RUNS: readonly (readonly [line: string, code: number, again?: 'reads' | 'operation'])[] = [
  ['agent --check', 2],
  ['init public.vehicles --database URL', 0],
  ['check vehicles.yaml --database URL', 0, 'reads'],
  ['check alerting.yaml', 1, 'reads'],
  ['provisioning alerting.yaml --check --output alerting', 0, 'reads'],
  ['provisioning alerting.yaml --output alerting', 0],
  ['provisioning alerting.yaml --remove --output alerting', 0],
  ['grafana-token --grafana http://127.0.0.1:9 --output token --password-file password', 1],
  ['status', 0, 'reads'],
  ['status --config two-agents.yaml', 1, 'reads'],
  ['tables', 2],
  ['fleet status fleet.yaml', 0, 'reads'],
  ['fleet advance fleet.yaml --to expanded --dry-run', 0, 'reads'],
  ['flag --enable', 3],
  ['expand --dry-run', 0, 'reads'],
  ['expand', 0],
  ['expand', 3],
  ['backfill', 0],
  ['validate --layer integrity', 0, 'operation'],
  ['validate --layer performance', 4],
  ['validate --layer integrity --generate-report --output report.json', 0],
  ['verify report.json --keys trusted.json', 0, 'reads'],
  ['verify vehicles.yaml --keys trusted.json', 1],
  ['signing-key', 0],
  ['finalize', 0],
  ['flag --enable --percentage 50', 0],
  ['flag --disable', 0],
  ['baseline --list', 0, 'reads'],
  ['baseline --show', 2],
  ['monitoring --disable --dry-run', 3],
  ['operations list', 0, 'reads'],
  ['operations show 1', 0, 'reads'],
  ['operations events 1', 0, 'reads'],
  ['operations pause', 2],
  ['operations resume 1', 3],
  ['operations cancel 999999', 2],
  ['operations tune 1 --workers 2', 3],
  ['watch', 0, 'reads'],
  ['watch 1', 0, 'reads'],
  ['failed-rows', 0, 'reads'],
  ['retry-failed-rows', 3],
  ['accept-failed-rows --key 1 --reason test', 1],
  ['accept-client nobody --reason test', 3],
  ['adopt --reason test', 0],
  ['acceptances', 0, 'reads'],
  ['accept-check no-function-body --all --reason test', 3],
  ['readiness', 4, 'reads'],
  ['readiness --todo', 4, 'reads'],
  ['attest training --note test', 0],
  ['automatic-rollback show', 0, 'reads'],
  ['automatic-rollback pause --reason test', 0],
  ['automatic-rollback resume --reason test', 0],
  ['drill --timeout 1 --severity info', 1],
  ['incidents list', 0, 'reads'],
  ['incidents acknowledge 1', 0],
  ['incidents resolve 1', 3],
  ['promote --force --reason test', 3],
  ['rehearse --sample 100', 0],
  ['prepare-column-drop --safety-checks', 3, 'operation'],
  ['remove-archive --reason test --confirm vehicles', 3],
  ['fleet rollback fleet.yaml', 0],
  ['rollback flag', 0],
  ['rollback monitoring', 3],
  ['rollback data', 2],
  ['rollback data --confirm vehicles', 0],
  ['rollback system --confirm vehicles', 3],
  ['rollback all --confirm vehicles', 0],
  ['uninstall --database URL', 5],
]

/** It prints a script for a shell, with nothing that a program would read. */
const WITHOUT_JSON = ['completion']

const WIDTHS = [60, 80, 120]
const ALERTING = `agents:\n  - { name: one, url: 'http://127.0.0.1:9', secretFile: password }\nrollouts: { staging: rollouts }\n`
const FLEET = `rollout: vehicles
members: [{ name: eu, environment: staging, agents: [{ url: 'AGENT', token: ${TOKENS.ann} }] }]
`
const TWO_AGENTS = `environments:
  staging: { url: AGENT, token: ${TOKENS.ann} }
  production: { url: 'http://127.0.0.1:9', token: ${TOKENS.ann} }
`

test('the table has every command of the program', () => {
  const named = RUNS.map(([line]) => line.split(' '))
  const isNamed = (path: readonly string[]): boolean =>
    named.some((words) => path.every((word, index) => words[index] === word))
  const missing = leafPaths(createProgram(() => () => Promise.resolve())).filter((path) => !isNamed(path))
  expect(missing.map((path) => path.join(' '))).toEqual(WITHOUT_JSON)
})

test('with --json each command prints JSON only; tables fit; nothing is colored; exit codes are those of docs/cli.md', async () => {
  const signingKey = newSigningKey('staging')
  const folder = await mkdtemp(join(tmpdir(), 'sti-every-command-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 300)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        await mkdir(join(folder, 'rollouts'))
        for (const [name, content] of [
          ['vehicles.yaml', VEHICLES_FILE],
          ['rollouts/vehicles.yaml', VEHICLES_FILE],
          ['alerting.yaml', ALERTING],
          ['password', 'a-password-that-grafana-does-not-have'],
          ['trusted.json', JSON.stringify({ keys: [signingKey.publicKey] })],
          ['fleet.yaml', FLEET.replace('AGENT', agent.url)],
          ['two-agents.yaml', TWO_AGENTS.replace('AGENT', agent.url)],
        ] as const)
          await writeFile(join(folder, name), content, { mode: 0o600 })
        for (const [line, code, again] of RUNS) {
          const words = line.split(' ').map((word) => (word === 'URL' ? url : word))
          const json = await runSti(agent.url, folder, [...words, '--json'])
          expect([line, json.code, json.err]).toEqual([line, code, json.err])
          expect([line, ...findJsonFaults(json)]).toEqual([line])
          for (const width of again === undefined ? [] : again === 'reads' ? WIDTHS : WIDTHS.slice(0, 1)) {
            const shown = await runSti(agent.url, folder, words, width)
            expect([line, width, shown.code]).toEqual([line, width, code])
            const lines = (shown.out + shown.err).split('\n')
            expect([line, width, ...lines.filter((one) => isTableLine(one) && one.length > width)]).toEqual([
              line,
              width,
            ])
            expect(shown.out + shown.err).not.toContain('\u001B')
          }
        }
      },
      { config: { signingKey, guard: false } },
    )
  })
})

test('a progress bar has no colors', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 300)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      const { err } = await runSti(agent.url, '/', ['expand'], 80, true)
      const [, ...controls] = err.split('\u001B[')
      expect(controls).not.toEqual([])
      expect(controls.filter((control) => /^[\d;]*m/.test(control))).toEqual([])
    })
  })
})

interface Result {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command with pipes, or with a terminal of this width as stdout, and also as stderr. */
async function runSti(
  agentUrl: string,
  folder: string,
  words: readonly string[],
  width: number | null = null,
  hasTerminalErrors = false,
): Promise<Result> {
  const screen = width === null ? {} : { isTTY: true, columns: width }
  const stdout = Object.assign(new PassThrough(), screen)
  const stderr = Object.assign(new PassThrough(), hasTerminalErrors ? screen : {})
  const texts = Promise.all([text(stdout), text(stderr)])
  const env = { STI_URL: agentUrl, STI_TOKEN: TOKENS.ann, NO_COLOR: '1' }
  const terminal = { stdin: new PassThrough(), stdout, stderr, env, cwd: folder, home: folder }
  const code = await runProgram(words, terminal)
  stdout.end()
  stderr.end()
  const [out, err] = await texts
  return { code, out, err }
}

/** Each line of stdout is a JSON value; each of stderr is an error, which a command that has done its work does not print. */
function findJsonFaults({ code, out, err }: Result): string[] {
  const lines = (stream: string): string[] => stream.split('\n').filter((line) => line !== '')
  const parse = (line: string): unknown => {
    try {
      return JSON.parse(line)
    } catch {
      return undefined
    }
  }
  const isError = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && ['error', 'code', 'reasons'].every((name) => name in value)
  return [
    ...lines(out).filter((line) => parse(line) === undefined),
    ...lines(err).filter((line) => !isError(parse(line))),
    ...(code === 0 && err !== '' ? [`exit code 0 with ${err}`] : []),
    ...(out === '' && err === '' && code !== 0 ? ['nothing says what failed'] : []),
  ]
}

/** Two spaces between two words only occur between columns. */
const isTableLine = (line: string): boolean => /\S {2,}\S/.test(line)

/** Commands without subcommands: `['operations', 'tune']`. */
function leafPaths(command: Command, path: readonly string[] = []): string[][] {
  if (command.commands.length === 0) return [[...path]]
  return command.commands.flatMap((child) => leafPaths(child, [...path, child.name()]))
}
