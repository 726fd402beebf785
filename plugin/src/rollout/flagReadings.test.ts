import { FieldType, toDataFrame } from '@grafana/data'
import { expect, test } from 'vitest'
import { lastReadings } from './flagReadings'

const series = (rollout: string, instance: string, points: Array<[number, number | null]>) =>
  toDataFrame({
    fields: [
      { name: 'Time', type: FieldType.time, values: points.map(([time]) => time) },
      {
        name: 'Value',
        type: FieldType.number,
        labels: { rollout, instance },
        values: points.map(([, value]) => value),
      },
    ],
  })

test('the newest reading of a flag counts, whichever agent it is from', () => {
  const readings = lastReadings([
    series('vehicles', 'ended', [
      [1_000, 100],
      [2_000, 100],
    ]),
    series('vehicles', 'newer', [
      [3_000, 50],
      [4_000, 0],
      [5_000, null],
    ]),
    series('orders', 'newer', [[4_000, 25]]),
    series('empty', 'newer', []),
  ])
  expect(readings).toEqual([
    { rollout: 'orders', percentage: 25, at: new Date(4_000) },
    { rollout: 'vehicles', percentage: 0, at: new Date(4_000) },
  ])
})
