import { type DataFrame, FieldType, toDataFrame } from '@grafana/data'
import type { OperationEvent } from '@sti-rollout/agent/contract'

/**
 * Events worth a mark on every time panel: where an operation starts or ends, each change of the flag, and the baseline
 * of each release.
 */
const ANNOTATED_EVENT_KINDS: ReadonlySet<string> = new Set(['state', 'flag', 'rollback', 'baseline'])

/**
 * Events as annotations. A point has `timeEnd` equal to `time`: with null Grafana draws the regions after it wrong.
 */
export function toAnnotations(events: readonly OperationEvent[]): DataFrame {
  const marks = events.filter(({ kind }) => ANNOTATED_EVENT_KINDS.has(kind))
  const times = marks.map(({ at }) => Date.parse(at))
  return toDataFrame({
    fields: [
      { name: 'time', type: FieldType.time, values: times },
      { name: 'timeEnd', type: FieldType.time, values: times },
      { name: 'title', type: FieldType.string, values: marks.map(({ message }) => message) },
      {
        name: 'text',
        type: FieldType.string,
        values: marks.map(({ rollout, actor, reason }) =>
          [rollout, `by ${actor.name}`, reason].filter(Boolean).join(' · '),
        ),
      },
      { name: 'tags', type: FieldType.other, values: marks.map(({ kind, rollout }) => [kind, rollout]) },
    ],
  })
}

/** Events as a table, newest first. */
export function toEventTable(events: readonly OperationEvent[], refId: string): DataFrame {
  const newest = [...events].sort((a, b) => b.id - a.id)
  return toDataFrame({
    refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: newest.map(({ at }) => Date.parse(at)) },
      { name: 'Rollout', type: FieldType.string, values: newest.map(({ rollout }) => rollout) },
      { name: 'Kind', type: FieldType.string, values: newest.map(({ kind }) => kind) },
      { name: 'What', type: FieldType.string, values: newest.map(({ message }) => message) },
      { name: 'Who', type: FieldType.string, values: newest.map(({ actor }) => actor.name) },
      { name: 'Why', type: FieldType.string, values: newest.map(({ reason }) => reason ?? '') },
      { name: 'Operation', type: FieldType.number, values: newest.map(({ operationId }) => operationId) },
    ],
  })
}
