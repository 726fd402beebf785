import { writeFile } from 'node:fs/promises'
import { formatBytes, formatCount } from '../../agent/src/format/format.ts'
import type { Calibration } from '../calibration.ts'
import { markdownTable } from '../format.ts'
import { goalLines } from '../goals.ts'
import { measureTenants } from './measureTenants.ts'

/** For 1,000 schemas with 1,000 rows each. */
const SECONDS_LIMIT = 300

interface TenantsBenchOptions {
  /** In each schema. */
  readonly rows: number
  readonly json: string | null
  readonly tenants: number
}

/** Measures the steps of one rollout file with the same table in many schemas. */
export async function runTenantsBench(
  { rows, json, tenants }: TenantsBenchOptions,
  calibration: Calibration,
): Promise<number> {
  await calibration.sample()
  const steps = await measureTenants({ tenants, rows })
  await calibration.sample()
  const total = steps.reduce((sum, { seconds }) => sum + seconds, 0)
  process.stdout.write(
    `${formatCount(tenants)} schemas with ${formatCount(rows)} rows each; every row was compared:\n\n${markdownTable(
      ['step', 'time', 'per schema', 'peak memory of the agent'],
      steps.map(({ step, seconds, agentRssBytes }) => [
        step,
        `${seconds.toFixed(1)} s`,
        `${Math.round((seconds / tenants) * 1000)} ms`,
        agentRssBytes === undefined ? '-' : formatBytes(agentRssBytes),
      ]),
    )}\n`,
  )
  process.stdout.write(
    goalLines([{ what: 'seconds of all steps', bound: 'at most', limit: SECONDS_LIMIT, value: total }]),
  )
  if (json) await writeFile(json, `${JSON.stringify({ tenants, rows, steps }, null, 2)}\n`)
  return 0
}
