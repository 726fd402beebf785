/**
 * The places between two statements of an operation, in the order in which a whole rollout comes by. What is done up to
 * a point is in the database or is not done: an agent that dies there leaves nothing that another one cannot go on with.
 */
export const POINTS = [
  'operation.claimed',
  'expand.begun',
  'expand.looked',
  'ddl.sending',
  'ddl.refused',
  'ddl.waiting',
  'ddl.committed',
  'expand.told',
  'backfill.begun',
  'backfill.lanes',
  'backfill.batch',
  'backfill.written',
  'backfill.poison',
  'backfill.failure-told',
  'backfill.lane-finished',
  'sweep.begun',
  'sweep.looked',
  'sweep.written',
  'sweep.told',
  'retry.row',
  'retry.written',
  'finalize.begun',
  'index.looked',
  'index.journaled',
  'index.invalid',
  'index.dropped',
  'index.made',
  'index.told',
  'index.confirmed',
  'alone.sending',
  'alone.done',
  'constraint.looked',
  'constraint.added',
  'constraint.validated',
  'finalize.not-null',
  'finalize.analyzed',
  'flag.off-served',
  'flag.off-written',
  'rollback.begun',
  'rollback.flag-off',
  'rollback.seen-off',
  'rollback.archive',
  'rollback.archived',
  'rollback.reverted',
  'rollback.told',
  'rollback.lanes',
  'rollback.clear',
  'rollback.clear-written',
  'rollback.cleared',
  'rollback.clear-failed',
  'rollback.lane-finished',
  'rollback.settled',
  'operation.ending',
  'operation.standing',
  'operation.failed',
  'operation.ended',
] as const

export type Point = (typeof POINTS)[number]

/** Called at each point; the work goes on when it resolves. An agent does nothing there; tests kill its process. */
export type Reached = (point: Point) => Promise<void>

export const goOnAtOnce: Reached = () => Promise.resolve()
