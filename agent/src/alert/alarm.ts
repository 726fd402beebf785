import type { FlagStatus } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Flags } from '../flag/flags.ts'
import type { Log } from '../log.ts'
import type { RolloutReadings } from '../metrics/source.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Signals } from '../signals/signals.ts'
import { createActing } from './act.ts'
import { createBacklog } from './backlog.ts'
import { createGuard } from './guard.ts'
import type { Holds } from './holds.ts'
import { createInbox, type Inbox } from './inbox.ts'
import type { AlertPath } from './path.ts'
import type { AlarmState } from './state.ts'
import { createConditionWatch } from './watch.ts'

/** How often the conditions are read from memory. */
const LOOK_MS = 250

export interface AlarmParts {
  readonly state: Sql
  readonly environment: string
  readonly agent: string
  readonly guard: boolean
  readonly rollouts: readonly Rollout[]
  readonly flags: Pick<Flags, 'turnOff'> & { status(rollout: string): FlagStatus }
  readonly signals: Signals
  readonly holds: Holds
  readonly path: AlertPath
  readonly editorScopes: readonly string[]
  readonly log: Log
}

/** Everything that watches, hears of alerts and rolls back by itself. */
export interface Alarm {
  readonly inbox: Inbox
  /** Takes what was just read from the database. */
  saw(rollout: string, state: AlarmState): void
  /** What rollback rules fire on. */
  conditions(rollout: string): RolloutReadings['conditions']
  start(): void
  stop(): Promise<void>
}

export function createAlarm(parts: AlarmParts): Alarm {
  const { state, environment, agent, rollouts, flags, log } = parts
  const watch = createConditionWatch({ ...parts, flag: (rollout) => flags.status(rollout) })
  const backlog = createBacklog(log)
  const acting = createActing({ state, flags, watch, backlog, log })
  const guard = parts.guard ? createGuard({ environment, agent, rollouts, watch, acting }) : null
  const inbox = createInbox({ ...parts, watch, acting, backlog })
  let timer: NodeJS.Timeout | undefined
  return {
    inbox,
    saw: watch.saw,
    conditions: (rollout) =>
      watch
        .findings(rollout)
        .filter((finding) => finding.state !== 'unknown')
        .map(({ rule, change, state }) => ({ rule, change, unhealthy: state === 'unhealthy' })),
    start() {
      timer = setInterval(() => {
        watch.look()
        guard?.look()
      }, LOOK_MS)
    },
    async stop() {
      clearInterval(timer)
      inbox.stop()
      watch.stop()
      await backlog.stop()
    },
  }
}
