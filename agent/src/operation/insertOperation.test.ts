import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { adoptDatabase, checkDatabaseIdentity } from '../database/databaseIdentity.ts'
import { migrate } from '../database/migrate.ts'
import { readEvents } from './events.ts'
import { insertOperation, type NewOperation } from './insertOperation.ts'
import { transitionOperation } from './transition.ts'

const actor = { name: 'ann', level: 'editor', via: 'token' } as const
const newOperation: NewOperation = {
  rollout: 'vehicles',
  kind: 'backfill',
  parameters: { b: 1, a: 2 },
  fileHash: 'h',
  derivationHash: 'd',
  writesTable: true,
  actor,
  reason: null,
  idempotencyKey: 'k1',
}

test('one writer per rollout, one operation per key, and each event hashes the previous one', async () => {
  await withDatabase(async ({ url }) => {
    const database = connect(url, 'a')
    await Promise.all([migrate(database, false), migrate(database, false)])
    const sql = database.state
    const first = await insertOperation(sql, newOperation)
    expect(first.created).toBe(true)
    const again = await insertOperation(sql, { ...newOperation, parameters: { a: 2, b: 1 } })
    expect(again).toMatchObject({ created: false, row: { id: first.row.id } })
    await expect(insertOperation(sql, { ...newOperation, parameters: { a: 3 } })).rejects.toThrow(/new key/)
    await expect(insertOperation(sql, { ...newOperation, idempotencyKey: 'k2' })).rejects.toThrow(
      /Backfill 1 of ann is queued/,
    )
    expect(await transitionOperation(sql, first.row.id, 'stand', { actor, message: 'x' })).toBeNull()
    expect(await transitionOperation(sql, first.row.id, 'cancel', { actor, message: 'cancelled' })).toMatchObject({
      state: 'cancelled',
    })
    const events = await readEvents(sql, { operationId: first.row.id })
    expect(events.map((event) => event.after)).toEqual([
      { state: 'queued', parameters: { a: 2, b: 1 } },
      { state: 'cancelled' },
    ])
    expect(new Set(events.map((event) => event.hash)).size).toBe(2)
    expect((await insertOperation(sql, { ...newOperation, idempotencyKey: 'k2' })).created).toBe(true)
    await database.close()
  })
})

test('a state that was copied with the database does not belong to the environment until it is adopted', async () => {
  await withDatabase(async ({ url }) => {
    const database = connect(url, 'a')
    await migrate(database, false)
    expect((await checkDatabaseIdentity(database.state, 'staging')).foreignState).toBeNull()
    expect((await checkDatabaseIdentity(database.state, 'staging')).foreignState).toBeNull()
    expect((await checkDatabaseIdentity(database.state, 'production')).foreignState).toMatch(
      /environment staging, this agent serves production/,
    )
    const { database: name } = await checkDatabaseIdentity(database.state, 'staging')
    // Another agent of this database gives it the same name, and an agent of another one never does.
    const second = connect(url, 'b')
    expect((await checkDatabaseIdentity(second.state, 'staging')).database).toBe(name)
    await second.close()
    await withDatabase(async ({ url: otherUrl }) => {
      const other = connect(otherUrl, 'c')
      await migrate(other, false)
      const identity = await checkDatabaseIdentity(other.state, 'staging')
      expect(identity).toEqual({ foreignState: null, database: expect.not.stringMatching(`^${name}$`) })
      await other.close()
    })
    await database.state`update sti.identity set system_identifier = '1'`
    expect((await checkDatabaseIdentity(database.state, 'staging')).foreignState).toMatch(/another PostgreSQL system/)
    await adoptDatabase(database.state, {
      environment: 'staging',
      actor: { name: 'ann' },
      reason: 'restored',
      rollouts: ['vehicles'],
    })
    const events =
      await database.state`select rollout, kind, message, reason, actor, before, after from sti.operation_event`
    expect(events).toEqual([
      {
        rollout: 'vehicles',
        kind: 'adoption',
        message: 'adopted the state in the database for staging',
        reason: 'restored',
        actor: { name: 'ann' },
        before: expect.objectContaining({ system_identifier: '1' }),
        after: expect.objectContaining({ environment: 'staging', adopted_by: 'ann' }),
      },
    ])
    expect((await checkDatabaseIdentity(database.state, 'staging')).foreignState).toBeNull()
    await database.close()
  })
})
