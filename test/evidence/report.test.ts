import { createPublicKey } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Readiness, RolloutDetail, SignedReport } from '../../agent/src/contract/index.ts'
import { importBaseline } from '../support/importBaseline.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withSti, type RunSti } from '../support/stiCommand.ts'
import { withDatabase, type TestDatabase } from '../support/database.ts'
import { newSigningKey } from '../support/signingKeys.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

const MARKUP_INJECTION = '<script>alert(1)</script> & "q" | a`b` [x](http://evil) \n# no heading'
const FILE = `${VEHICLES_FILE}contacts:
  - { role: Technical Lead, name: "Ann <b>Lee</b>", phone: "+49 30 1234567", email: ann@example.com, escalateAfter: 5m }
`
const key = newSigningKey('staging')

/** A completed staging rollout, with user texts that contain markup. */
async function withRollout(use: (agent: TestAgent, database: TestDatabase) => Promise<void>): Promise<void> {
  await withDatabase(async (database) => {
    await createVehicles(database.sql, 400)
    await withAgent(
      database.url,
      FILE,
      async (agent) => {
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
        await agent.post('/v1/rollouts/vehicles/attestations', { item: 'training', note: MARKUP_INJECTION })
        await agent.run('validation')
        await use(agent, database)
      },
      { config: { signingKey: key } },
    )
  })
}

async function downloadReport(agent: TestAgent, format: string): Promise<string> {
  const answer = await fetch(`${agent.url}/v1/rollouts/vehicles/report?format=${format}`, {
    headers: { authorization: `Bearer ${TOKENS.viewer}` },
  })
  expect(answer.status).toBe(200)
  return await answer.text()
}

test('the report contains every operation in each format, and escapes all markup', async () => {
  await withRollout(async (agent) => {
    await importBaseline(agent, FILE)
    const { report } = JSON.parse(await downloadReport(agent, 'json')) as SignedReport
    expect(report.baseline!.baseline).toMatchObject({ id: 6, release: 'v1', source: 'import' })
    expect(report.baseline!.signals.find(({ name }) => name === 'host-memory')).toMatchObject({ baseline: 0.3 })
    expect(report.readiness.items.find(({ item }) => item === 'baseline')).toMatchObject({ state: 'ready' })
    const kinds = report.operations.map(({ kind }) => kind)
    expect(kinds).toEqual(['expand', 'backfill', 'validation', 'finalize', 'validation'])
    expect(report).toMatchObject({ environment: 'staging', coverage: 1, verified: true, stage: 'finalized' })
    expect(report.validations).toHaveLength(2)
    expect(report.events.entries.at(-1)!.hash).toBe(report.events.head)
    expect(report.changes.map(({ kind }) => kind)).toContain('column')

    const html = await downloadReport(agent, 'html')
    const tags = new Set([...html.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag]) => tag!.toLowerCase()))
    const known =
      'html head meta title style body h1 h2 h3 p table thead tbody tr th td pre figure svg text line polyline g circle'
    expect([...tags].filter((tag) => !known.split(' ').includes(tag))).toEqual([])
    expect(html).not.toMatch(/\s(src|href|on[a-z]+|xlink:href)\s*=|url\(|@import/i)
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;q&quot;')
    expect(html).toMatch(/<polyline[^>]+points="[\d., ]+"/)

    const markdown = await downloadReport(agent, 'md')
    expect(markdown).toContain('&lt;script&gt;')
    expect(markdown.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll('<!-- -->', '')).not.toMatch(/<|^# no heading/m)
    // Every row of a table has as many cells as its head.
    const tables = markdown.split('\n\n').filter((block) => block.startsWith('| '))
    expect(tables.length).toBeGreaterThan(8)
    for (const table of tables) {
      const cells = table.split('\n').map((row) => row.replaceAll(/\\./g, '').split('|').length)
      expect(new Set(cells).size).toBe(1)
    }
    for (const check of report.validation!.checks) {
      expect(html).toContain(`>${check.check}</td>`)
      if (check.query !== null)
        expect(html).toContain(check.query.slice(0, 20).replaceAll("'", '&#39;').replaceAll('"', '&quot;'))
    }
  })
})

test('only editors see phone numbers and email addresses, and no report contains them', async () => {
  await withRollout(async (agent) => {
    const seen = async (path: string, token: string): Promise<string> =>
      await (await fetch(agent.url + path, { headers: { authorization: `Bearer ${token}` } })).text()
    const private_ = /1234567|ann@example\.com/
    for (const path of ['', '/readiness', '/report?format=json', '/report?format=html', '/report?format=md']) {
      const rolloutPath = `/v1/rollouts/vehicles${path}`
      expect(await seen(rolloutPath, TOKENS.viewer)).not.toMatch(private_)
      // Editors see them in the API; exported files do not contain them.
      expect(private_.test(await seen(rolloutPath, TOKENS.bob))).toBe(!path.startsWith('/report'))
    }
    expect(await seen('/metrics', TOKENS.ann)).not.toMatch(/1234567|ann@example|Ann/)
    expect((await agent.get<Readiness>('/v1/rollouts/vehicles/readiness')).contacts[0]!.phone).toBe('+49 30 1234567')
    expect((await agent.get<RolloutDetail>('/v1/rollouts/vehicles')).file).toBe(FILE)
  })
})

test('sti validate writes the report, and sti verify accepts it only unchanged', async () => {
  await withRollout(async (agent) => {
    await withSti(async (sti, folder) => {
      const written = await sti(agent.url, 'validate', '--generate-report', '--output', 'report.json')
      expect(written).toMatchObject({ code: 0, out: expect.stringContaining('report: report.json') as string })
      const keys = await sti(agent.url, 'signing-key')
      await writeFile(join(folder, 'trusted.json'), keys.out)
      const pem = createPublicKey(key.privateKey).export({ type: 'spki', format: 'pem' }).toString()
      await writeFile(join(folder, 'key.pem'), pem)
      for (const trusted of ['trusted.json', 'key.pem']) {
        const good = await sti(null, 'verify', 'report.json', '--keys', trusted)
        expect(good).toMatchObject({
          code: 0,
          out: expect.stringMatching(/rollout vehicles in staging, generated at .* for ann/) as string,
        })
      }
      await expectChangedReportRefused(sti, folder)
      expect((await sti(null, 'verify', 'report.json')).code).toBe(2)
      expect((await sti(null, 'verify', 'nowhere.json', '--keys', 'key.pem')).code).toBe(2)
      expect((await sti(agent.url, 'validate', '--generate-report', '--output', 'report.pdf')).code).toBe(2)
      expect((await sti(agent.url, 'validate', '--output', 'report.md')).code).toBe(2)

      for (const format of ['md', 'html']) {
        expect((await sti(agent.url, 'validate', '--generate-report', '--format', format)).code).toBe(0)
        expect(await readFile(join(folder, `sti-report-vehicles-staging.${format}`), 'utf8')).toContain(
          'Definition of done',
        )
      }
    })
  })
})

/** A report that was modified, truncated, unsigned, or signed with another key. */
async function expectChangedReportRefused(sti: RunSti, folder: string): Promise<void> {
  const text = await readFile(join(folder, 'report.json'), 'utf8')
  const report = JSON.parse(text) as SignedReport
  const stranger = newSigningKey('staging').publicKey
  await writeFile(join(folder, 'stranger.json'), JSON.stringify({ keys: [stranger] }))
  const refused = async (content: string, says: RegExp, keys = 'trusted.json'): Promise<void> => {
    await writeFile(join(folder, 'bad.json'), content)
    const answer = await sti(null, 'verify', 'bad.json', '--keys', keys)
    expect([answer.code, answer.out, answer.err]).toEqual([1, '', expect.stringMatching(says)])
  }
  await refused(text.replace('"verdict":"pass"', '"verdict":"fail"'), /was changed/)
  await refused(text.slice(0, text.length / 2), /not JSON, or it is truncated/)
  await refused(JSON.stringify({ ...report, signature: null, unsigned: 'none' }), /not signed/)
  await refused(text, /which is not trusted/, 'stranger.json')
  // Formatting does not change the content.
  await writeFile(join(folder, 'bad.json'), JSON.stringify(report, null, 4))
  expect((await sti(null, 'verify', 'bad.json', '--keys', 'trusted.json')).code).toBe(0)
}

test('a report without a key states that it is unsigned, and promotes nothing', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 50)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      const signed = JSON.parse(await downloadReport(agent, 'json')) as SignedReport
      expect(signed).toMatchObject({
        signature: null,
        unsigned: expect.stringMatching(/STI_SIGNING_KEY_FILE/) as string,
      })
      expect(await downloadReport(agent, 'html')).toContain('Unsigned.')
      await withSti(async (sti, folder) => {
        await writeFile(join(folder, 'report.json'), JSON.stringify(signed))
        await writeFile(join(folder, 'keys.json'), JSON.stringify({ keys: [key.publicKey] }))
        expect((await sti(null, 'verify', 'report.json', '--keys', 'keys.json')).code).toBe(1)
        expect((await sti(agent.url, 'signing-key')).code).toBe(2)
      })
    })
  })
})
