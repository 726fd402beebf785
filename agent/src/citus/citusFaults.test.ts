import { expect, test } from 'vitest'
import { citusFaults, wrongCitusNode } from './citusFaults.ts'
import type { CitusTable } from './readCitusTable.ts'

const NAMES = { table: '"app"."v"', schema: '"app"', tableLiteral: `'"app"."v"'`, schemaLiteral: `'"app"'` }
const DISTRIBUTED: CitusTable = {
  type: 'distributed',
  distributionColumn: 'id',
  shards: 32,
  nodes: 2,
  onCoordinator: true,
  version: '13.0-1',
}
const ONE_SHARD = { ...DISTRIBUTED, distributionColumn: null, shards: 1, nodes: 1 }

/** What Citus does with the table, and the way that the sentence names. */
const REFUSED: readonly [CitusTable, RegExp, RegExp][] = [
  [
    DISTRIBUTED,
    /^Citus 13\.0-1 splits "app"\."v" by id into 32 shards on 2 nodes, /,
    /SELECT undistribute_table\('"app"\."v"'\)/,
  ],
  [ONE_SHARD, /as a distributed table with one shard, /, /SELECT undistribute_table\('"app"\."v"'\)/],
  [
    { ...ONE_SHARD, type: 'reference', nodes: 3 },
    /keeps a copy of "app"\."v", a reference table, on 3 nodes, /,
    /undistribute_table/,
  ],
  [
    { ...ONE_SHARD, type: 'schema' },
    /on the node of its schema "app" \(schema-based sharding\), /,
    /SELECT citus_schema_undistribute\('"app"'\)\).*SELECT citus_schema_distribute\('"app"'\)/,
  ],
  [{ ...ONE_SHARD, type: 'local' }, /manages "app"\."v" as a local table of one node, /, /undistribute_table/],
  [{ ...ONE_SHARD, type: 'shard' }, /is a shard of a table/, /Specify the table itself.*coordinator/],
  [{ ...DISTRIBUTED, onCoordinator: false }, /this connection is to a worker node/, /the address of the coordinator/],
]

test.each(REFUSED)('names what Citus does with a table, and a way: %o', (citus, what, way) => {
  const [fault] = [wrongCitusNode(citus, NAMES), ...citusFaults(citus, NAMES)].filter((sentence) => sentence !== null)
  expect(fault).toMatch(what)
  expect(fault).toMatch(way)
})
