import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { failedChecks, validate } from '../validation/validations.ts'

/** Columns whose text depends on settings of the session, the text that the agent reads, and the content of odd rows. */
const COLUMNS = {
  float8: { text: '0.1', odd: '0.1::float8 + 2e-17' },
  float4: { text: '0.1', odd: '0.1::float4 + 1e-8::float4' },
  bytea: { text: '\\x61', odd: `'b'::bytea` },
  point: { text: '(0.3,0)', odd: 'point(0.1::float8 + 0.2::float8, 0)' },
} as const

const VALUES = {
  float8: '0.1',
  float4: '0.1',
  bytea: `'a'::bytea`,
  point: 'point(0.3, 0)',
}

test('the type of a row does not depend on the settings of the session that writes it', async () => {
  await withDatabase(async ({ url, sql }) => {
    const names = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[]
    await sql.unsafe(`create table public.vehicles (id int primary key, ${names.map((name) => `c_${name} ${name}`).join(', ')}, note text);
      insert into public.vehicles select n, ${names.map((name) => `case when n % 2 = 0 then ${VALUES[name]} else ${COLUMNS[name].odd} end`).join(', ')} from generate_series(1, 100) n`)
    const when = names.map((name) => `c_${name}::text = '${COLUMNS[name].text}'`).join(' and ')
    const file = `rollout: vehicles
table: public.vehicles
types: [{ name: Even, when: ${JSON.stringify(when)}, restore: none }]
otherwise: { name: Other, restore: none }
acceptLostWrites: true
legacyColumns: [${names.map((name) => `c_${name}`).join(', ')}]
flag: { key: vehicles }
validation: { requires: [integrity] }
`
    await withAgent(url, file, async (agent) => {
      for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
      for (const step of ['before finalize', 'after finalize']) {
        await sql.unsafe(`set local extra_float_digits = -10; set local bytea_output = escape;
          update public.vehicles set note = '${step}'`)
        expect(await sql`select type, count(*)::int as rows from public.vehicles group by 1 order by 1`).toEqual([
          { type: 'Even', rows: 50 },
          { type: 'Other', rows: 50 },
        ])
        expect(failedChecks(await validate(agent, { layers: ['integrity'] })), step).toEqual([])
        if (step === 'before finalize') await agent.run('finalize')
      }
      // Without its settings, the function is not the one that STI created.
      await sql`alter function sti.derive_vehicles reset extra_float_digits`
      expect(failedChecks(await validate(agent, { checks: ['dual-write-trigger'] }))).toEqual([
        expect.stringContaining('was changed outside STI'),
      ])
    })
  })
})
