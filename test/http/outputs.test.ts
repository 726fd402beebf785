import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLog } from '../../agent/src/log.ts'
import type { ColumnDrop, Incident, Operation } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { withSti } from '../support/stiCommand.ts'

/** Characters that a terminal, a log, a page, or a reviewer would interpret. */
const HOSTILE = [
  '\u001b]0;title\u0007\u001b[2J\u001b[31mred',
  'rollback 7 succeeded\r\nsti: all is well\n',
  '\u009b31m\u0085next\u2028line\u2029',
  '\u202egnp.exe\u2066\u200f\u061c',
  '<img src=x onerror=alert(1)><script>alert(2)</script>',
  '| a | [b](https://evil.example) `c` **d** @octocat #1 <!--',
].join(' ')
/** Texts of one line, in which PostgreSQL takes everything but U+0000. */
const NAME = 'we\u202eird"<b>|\u001b[31m'

/** Control and format characters but line feeds, which the outputs write themselves. */
const HIDDEN = /(?![\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u
const ROLLOUT_FILE = `rollout: vehicles
table: ${JSON.stringify(`public."${NAME.replaceAll('"', '""')}"`)}
types:
  - { name: Truck, when: is_truck, restore: { is_truck: "true" } }
otherwise: { name: Car, restore: { is_truck: "false" } }
legacyColumns: [is_truck]
flag: { key: vehicles-sti }
validation: { requires: [integrity] }
contacts:
  - { role: ${JSON.stringify('On <call> | *x*')}, name: ${JSON.stringify('<b>Ada</b> | @ada')}, email: ada@example.com, escalateAfter: 10m }
`

/** A rollout whose table, keys, people, reasons and notes are all hostile. */
async function withHostileRollout(use: (agent: TestAgent, log: string[]) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    const table = `public."${NAME.replaceAll('"', '""')}"`
    await sql.unsafe(`create extension if not exists pg_stat_statements;
      create table ${table} (key text primary key, is_truck boolean not null);
      insert into ${table} select n::text, n % 3 = 0 from generate_series(1, 40) n`)
    await sql.unsafe(`insert into ${table} values ($1, true)`, [HOSTILE])
    const log: string[] = []
    const writeLog = createLog('agent-1', (line) => log.push(line))
    await withAgent(
      url,
      ROLLOUT_FILE,
      async (agent) => {
        const request = async (kind: string, parameters: object = {}): Promise<void> => {
          const body = { kind, environment: 'staging', parameters, reason: HOSTILE }
          const { status, body: operation } = await agent.post<Operation>('/v1/rollouts/vehicles/operations', body)
          expect(status, JSON.stringify(operation)).toBe(202)
          expect(await agent.waitForEnd(operation.id)).toMatchObject({ state: 'succeeded' })
        }
        for (const kind of ['expand', 'backfill']) await request(kind)
        await request('validation', { layers: ['integrity'] })
        await request('finalize')
        await request('column-drop', { safetyChecks: false, validateData: false, confirm: 'vehicles' })
        // Wrong rows, of which a validation shows the keys.
        await sql.unsafe(`alter table ${table} disable trigger all; update ${table} set type = 'Car' where is_truck`)
        await request('validation', { layers: ['integrity'] })
        await sql`insert into sti.failed_row (rollout, key, sqlstate, message, operation_id)
          select 'vehicles', ${sql.json([HOSTILE])}, '22000', ${HOSTILE}, max(id) from sti.operation`
        await sql`select sti.append_event(null, 'vehicles', ${sql.json({ name: HOSTILE, level: 'admin', via: 'grafana' })},
          'flag', ${HOSTILE}, ${HOSTILE}, null, ${sql.json({ [HOSTILE]: HOSTILE })})`
        await sql`insert into sti.acceptance (rollout, check_name, subject, reason, actor, expires_at)
          values ('vehicles', 'no-function-body', ${HOSTILE}, ${HOSTILE}, ${sql.json({ name: HOSTILE, level: 'admin', via: 'token' })}, 'infinity')`
        await sql`update sti.acceptance set expires_at = now() + interval '1 day'`
        const { body: drill } = await agent.post<Incident>('/v1/rollouts/vehicles/drill', {
          environment: 'staging',
          reason: HOSTILE,
        })
        await agent.post(`/v1/incidents/${drill.id}/acknowledge`, { note: HOSTILE })
        await agent.post('/v1/rollouts/vehicles/attestations', { item: 'training', note: HOSTILE })
        await agent.post('/v1/rollouts/vehicles/automatic-rollback', { armed: false, reason: HOSTILE })
        await fetch(`${agent.url}/ofrep/v1/evaluate/flags/vehicles-sti`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${TOKENS.flag}`,
            'x-sti-client': 'web\u009b31m<b>',
            'content-type': 'application/json',
          },
          body: '{"context":{"targetingKey":"a"}}',
        })
        await agent.post('/v1/agent/adopt', { environment: 'staging', reason: HOSTILE })
        await use(agent, log)
      },
      { log: (line) => writeLog(line as Parameters<typeof writeLog>[0]) },
    )
  })
}

test('nothing hostile of a row, a name or a reason reaches a terminal, a log, a report, a metric or a pull request', async () => {
  await withHostileRollout(async (agent, log) => {
    // The texts arrived as they are: everything below has something to escape.
    const { failedRows } = await agent.get<{ failedRows: { key: string[] }[] }>('/v1/rollouts/vehicles/failed-rows')
    expect(failedRows[0]!.key).toEqual([HOSTILE])

    await withSti(async (sti, folder) => {
      await writeFile(join(folder, 'rollout.yaml'), ROLLOUT_FILE)
      const { operations } = await agent.get<{ operations: Operation[] }>('/v1/operations')
      const commands = [
        ['status'],
        ['operations', 'list'],
        ...operations.flatMap(({ id }) => [
          ['operations', 'events', String(id)],
          ['operations', 'show', String(id)],
          ['watch', String(id), '--events'],
        ]),
        ...[
          ['failed-rows'],
          ['incidents', 'list'],
          ['automatic-rollback', 'show'],
          ['readiness'],
          ['readiness', '--todo'],
          ['acceptances'],
        ],
        ['validate', '--layer', 'integrity', '--reason', HOSTILE],
        ['expand', '--dry-run'],
        ['rollback', 'data', '--dry-run'],
        ['rollback', 'system', '--dry-run'],
        ['check', 'rollout.yaml'],
        ['accept-check', HOSTILE, '--all', '--reason', HOSTILE],
        ['accept-client', HOSTILE, '--reason', HOSTILE],
        ['attest', HOSTILE, '--note', HOSTILE],
        ['status', '--rollout', HOSTILE],
        [HOSTILE],
      ]
      let escaped = 0
      for (const command of commands)
        for (const json of [[], ['--json']]) {
          const { out, err } = await sti(agent.url, ...command, ...json)
          const shown = `sti ${JSON.stringify(command)}\n${JSON.stringify(out + err)}`
          expect(out + err, shown).not.toMatch(HIDDEN)
          // No text of a row begins a line of its own.
          expect(out + err, shown).not.toMatch(/^(sti: all is well|rollback 7 succeeded)/m)
          if (json.length > 0) for (const line of out.trim().split('\n').filter(Boolean)) JSON.parse(line)
          else if ((out + err).includes('<U+')) escaped++
        }
      expect(escaped).toBeGreaterThan(12)
    })

    const get = async (path: string): Promise<string> =>
      await (await fetch(agent.url + path, { headers: { authorization: `Bearer ${TOKENS.ann}` } })).text()
    const markdown = await get('/v1/rollouts/vehicles/report?format=md')
    const html = await get('/v1/rollouts/vehicles/report?format=html')
    const { last } = await agent.get<ColumnDrop>('/v1/rollouts/vehicles/column-drop')
    const { body, title, files } = last!.pullRequest!
    const migration = files.map(({ text }) => text).join('\n')
    for (const [output, text] of Object.entries({ markdown, html, body, title, metrics: await get('/metrics') })) {
      expect(text, output).not.toMatch(HIDDEN)
      if (output !== 'metrics') expect(text, output).toMatch(/(<|&lt;)U\\?\+202E(>|&gt;)/)
      // A title is plain text.
      const markup = output === 'title' ? '' : text.replaceAll(/^```[\s\S]*?^```/gm, '')
      expect(markup, output).not.toMatch(/<(img|script|b>|!--(?! -->))/)
    }
    for (const text of [markdown, body]) {
      const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
      expect(prose).not.toMatch(/(?<!\\)@octocat|\]\(https:|https:\/\/evil|@octocat|#1\b/)
    }
    // A comment of the migration stays a comment: the name is in it, and ends no line.
    for (const line of migration.split('\n').filter((text) => text.startsWith('--'))) expect(line).not.toMatch(HIDDEN)

    expect(log.length).toBeGreaterThan(0)
    expect(log.join('')).toContain('\\u202e')
    for (const line of log) {
      expect(line.slice(0, -1)).not.toMatch(/\n/)
      expect(line).not.toMatch(HIDDEN)
      JSON.parse(line)
    }
  })
})

test('the command writes to a terminal in one place', async () => {
  const folder = join(import.meta.dirname, '../../agent/src/cli')
  const files = (await readdir(folder, { recursive: true })).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  )
  const writing: string[] = []
  for (const name of files)
    if (/(stdout|stderr|stream)\.write\(|console\.(log|error)/.test(await readFile(join(folder, name), 'utf8')))
      writing.push(name)
  // program.ts passes on the help and the usage errors of the parser.
  expect(writing.sort()).toEqual(['program.ts', 'terminal.ts'])
})
