import { expect, test } from 'vitest'
import type { FileCheck, GeneratedProvisioning, ReportVerification } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { newSigningKey } from '../support/signingKeys.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

const CONTACTS = `contacts:
  - { role: Technical Lead, name: Ada, email: ada@example.com, escalateAfter: 5m }
`
const ALERTING = `agents:
  - { name: staging-1, url: "http://agent:8090", secretVariable: STI_STAGING_WEBHOOK_SECRET }
`

test('a report is verified, a rollout file is checked, and provisioning files are written, without a command', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(
      url,
      VEHICLES_FILE + CONTACTS,
      async (agent) => {
        const viewer = { authorization: `Bearer ${TOKENS.viewer}` }
        const editor = { authorization: `Bearer ${TOKENS.bob}` }
        const post = async <T>(path: string, body: unknown, headers = editor): Promise<T> => {
          const { status, body: answer } = await agent.post<T>(`/v1/files/${path}`, body, headers)
          expect(status, JSON.stringify(answer)).toBe(200)
          return answer
        }
        const report = (await (
          await fetch(`${agent.url}/v1/rollouts/vehicles/report?format=json`, { headers: viewer })
        ).json()) as { report: { generatedBy: string } }
        expect(await post<ReportVerification>('report', report)).toMatchObject({
          valid: true,
          why: null,
          rollout: 'vehicles',
          environment: 'staging',
        })
        report.report.generatedBy = 'somebody else'
        const forged = await post<ReportVerification>('report', report)
        expect(forged).toMatchObject({ valid: false, rollout: null })
        expect(forged.why).not.toBe('')

        const check = (text: string) => post<FileCheck>('rollout', { name: 'v.yaml', text })
        expect(await check(VEHICLES_FILE + CONTACTS)).toMatchObject({ faults: [], rollout: 'vehicles', loaded: 'same' })
        expect(await check(VEHICLES_FILE)).toMatchObject({ faults: [], loaded: 'derives alike' })
        expect(await check(VEHICLES_FILE.replaceAll('vehicles', 'lorries'))).toMatchObject({ loaded: 'none' })
        const broken = await check('rollout: vehicles\n')
        expect(broken.loaded).toBeNull()
        expect(broken.faults.join()).toMatch(/v\.yaml:1:1 .*table is missing/)

        const denied = await agent.post('/v1/files/provisioning', { text: ALERTING }, viewer)
        expect(denied.status).toBe(403)
        const { files, unreachable } = await post<GeneratedProvisioning>('provisioning', { text: ALERTING })
        expect(files.map(({ name }) => name)).toEqual(['sti-rules.yaml', 'sti-contact-points.yaml'])
        expect(files[1]!.text).toContain('addresses: ada@example.com')
        expect(unreachable).toEqual([])
        const faulty = await post<GeneratedProvisioning>('provisioning', { text: 'agents: []\n' })
        expect(faulty).toMatchObject({ files: [], faults: [expect.stringMatching(/needs at least one agent/)] })
      },
      { config: { signingKey: newSigningKey('staging') } },
    )
  })
})
