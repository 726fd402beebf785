import { expect, test } from 'vitest'
import { citusFaults, citusFindings, wrongCitusNode, type ShardedRollout } from './citusFaults.ts'
import type { CitusTable } from './readCitusTable.ts'

const NAMES = { table: '"app"."v"', schema: '"app"', tableLiteral: `'"app"."v"'`, schemaLiteral: `'"app"'` }
const DISTRIBUTED: CitusTable = {
  type: 'distributed',
  distributionColumn: 'id',
  shards: 32,
  copies: 1,
  storage: null,
  nodes: 2,
  onCoordinator: true,
  version: '13.0-1',
}
const ONE_SHARD = { ...DISTRIBUTED, distributionColumn: null, shards: 1, nodes: 1 }

const PLAIN: ShardedRollout = {
  name: 'vehicles_2',
  partitioned: false,
  storage: null,
  usesTrigger: true,
  usesPrefill: false,
  mayBeUnmapped: false,
  dependsOnSession: false,
  legacyColumns: ['is_truck'],
  rowTriggers: [],
}
const TAKE_BACK = /SELECT undistribute_table\('"app"\."v"'\)/

/** What is refused, why, and the way that the sentence names. */
const REFUSED: readonly (readonly [CitusTable, Partial<ShardedRollout>, RegExp, RegExp])[] = [
  [{ ...ONE_SHARD, type: 'shard' }, {}, /is a shard of a table/, /Specify the table itself.*coordinator/],
  [{ ...DISTRIBUTED, onCoordinator: false }, {}, /connection is to a worker node/, /the address of the coordinator/],
  [
    { ...ONE_SHARD, type: 'reference', nodes: 3, copies: 3 },
    {},
    /a copy of "app"\."v", a reference table, on 3 nodes, and its copies/,
    TAKE_BACK,
  ],
  [
    { ...DISTRIBUTED, copies: 2 },
    {},
    /splits "app"\."v" by id into 32 shards on 2 nodes, and each shard has 2 copies/,
    TAKE_BACK,
  ],
  [
    { ...ONE_SHARD, type: 'schema' },
    { partitioned: true },
    /on the node of its schema "app".* it is partitioned/,
    /citus_schema_undistribute\('"app"'\)\).*citus_schema_distribute\('"app"'\)/,
  ],
  [{ ...DISTRIBUTED, storage: 'columnar' }, { storage: 'columnar' }, /its access method is columnar/, TAKE_BACK],
  [
    DISTRIBUTED,
    { usesTrigger: false },
    /rows that move between pages of a shard could be missed/,
    /Set dualWrite: trigger/,
  ],
  [DISTRIBUTED, { name: 'vehicle-types' }, /does not quote the names of functions/, /Use only a to z/],
  [DISTRIBUTED, { usesPrefill: true }, /prefill was not tested in shards/, /Remove prefill/],
  [
    { ...ONE_SHARD, type: 'local' },
    { mayBeUnmapped: true },
    /as a local table of one node, and a row that no type matches/,
    /Add otherwise/,
  ],
  [DISTRIBUTED, { dependsOnSession: true }, /depends on settings of the session/, /Use expressions without/],
  [
    { ...DISTRIBUTED, distributionColumn: 'is_truck' },
    {},
    /by is_truck into 32 shards.*that column is a legacy column: a restored value would leave the row in a shard where/,
    /Derive the type from other columns/,
  ],
  [
    DISTRIBUTED,
    { rowTriggers: ['touch'] },
    /triggers of the application fire there for each row \(touch\)/,
    /Drop them/,
  ],
]

test.each(REFUSED)('names what is refused, why, and a way: %o %o', (citus, rollout, why, way) => {
  const faults = citusFaults(citus, { ...PLAIN, ...rollout }, NAMES)
  const [fault, ...more] = [wrongCitusNode(citus, NAMES), ...faults].filter((sentence) => sentence !== null)
  expect(more).toEqual([])
  expect(fault).toMatch(why)
  expect(fault).toMatch(way)
})

test('no step is refused on a distributed table, a table of a schema, and a local table', () => {
  for (const type of ['distributed', 'schema', 'local'] as const)
    for (const citus of [DISTRIBUTED, { ...ONE_SHARD, type }]) {
      expect(citusFaults(citus, PLAIN, NAMES)).toEqual([])
      expect(citusFindings(citus, NAMES)).toEqual([
        {
          step: 'backfill',
          refused: false,
          text: expect.stringMatching(
            /reads every node that has a shard, except its disk.*host, by PromQL.*rows of its batch wait with it/,
          ) as string,
        },
      ])
    }
})
