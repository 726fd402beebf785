import type { Method } from '../method.ts'
import { ADD_COLUMN, DERIVED } from '../table.ts'
import { byHand } from './byHand.ts'

/** One UPDATE of the whole table, in one transaction, without a trigger. */
export const singleUpdate: Method = {
  name: 'single-update',
  workers: 1,
  shares: 50,
  leaves: 'types',
  async run(url, timed) {
    await byHand(url, async (sql) => {
      await sql.unsafe(ADD_COLUMN)
      await timed(async () => void (await sql.unsafe(`update public.vehicles set type = ${DERIVED}`)))
    })
    return {}
  },
}
