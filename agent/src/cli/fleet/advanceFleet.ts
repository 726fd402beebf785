import { setTimeout as delay } from 'node:timers/promises'
import { formatDuration } from '../../format/format.ts'
import { CliError } from '../exitCode.ts'
import { advanceMember, type AdvanceContext } from './advanceMember.ts'
import { forEachAtOnce } from './forEachAtOnce.ts'
import type { FleetFailure, FleetProgress } from './followMember.ts'
import type { Fleet } from './fleetFile.ts'
import { memberTroubles, readMember, type MemberState } from './memberState.ts'
import type { Member, Wave } from './waves.ts'

const WATCH_INTERVAL_MS = 2_000

/**
 * Takes the waves to the goal, one after the other. A wave begins once the members of the waves before it have arrived, are
 * without trouble, and were watched for the hold of their wave. All members of waves that have begun are watched: one that
 * was on and has rolled back stops the fleet, whatever `onError` says.
 *
 * @returns the members that did not arrive; empty if all did
 */
export async function advanceFleet(
  fleet: Fleet,
  waves: readonly Wave[],
  context: Omit<AdvanceContext, 'rollout' | 'stopReason' | 'report'>,
  progress: FleetProgress,
): Promise<{ failures: readonly FleetFailure[]; rolledBack: boolean }> {
  const failures: FleetFailure[] = []
  const stop = { reason: null as string | null, rolledBack: false }
  const fail = (member: string, ...sentences: string[]): void => {
    failures.push({ member, sentences })
    progress.note(`${member}: ${sentences.join(' ')}`)
    if (fleet.onError === 'stop') stop.reason ??= `${member} needs a person`
  }
  const arrived: Member[] = []
  const watch = async (): Promise<void> => {
    const states = await Promise.all(
      arrived
        .filter(({ name }) => !failures.some((failure) => failure.member === name))
        .map((member) => readMember(fleet.rollout, member)),
    )
    for (const state of states) {
      const troubles = memberTroubles(state)
      if (troubles.length === 0) continue
      fail(state.member.name, ...troubles)
      if (!hasRolledBack(state)) continue
      stop.rolledBack = true
      stop.reason = `${state.member.name} has rolled back`
    }
  }

  for (const wave of waves) {
    progress.note(`Wave ${wave.number}: ${wave.members.map(({ name }) => name).join(', ')}`)
    const watching = startWatch(watch)
    await forEachAtOnce(wave.members, fleet.atOnce, async (member) => {
      if (stop.reason !== null) return
      try {
        const done = await advanceMember(member, {
          ...context,
          rollout: fleet.rollout,
          stopReason: () => stop.reason,
          report: progress.report,
        })
        if (done) arrived.push(member)
      } catch (error) {
        if (!(error instanceof CliError)) throw error
        fail(member.name, error.message, ...error.reasons)
      }
    })
    await watching.stop()
    await watch()
    if (stop.reason === null && wave !== waves.at(-1)) await holdWave(wave)
    if (stop.reason !== null) {
      progress.note(`Stopped: ${stop.reason}. Operations that run go on; no further one starts.`)
      break
    }
  }
  return { failures, rolledBack: stop.rolledBack }

  /** The hold counts from the last operation of the wave's members, so that a command started again goes on with it. */
  async function holdWave({ number, members, holdSeconds }: Wave): Promise<void> {
    const states = await Promise.all(members.map((member) => readMember(fleet.rollout, member)))
    const ends = states.map(({ detail }) => Date.parse(detail?.operations[0]?.endedAt ?? '') || 0)
    const until = Math.max(...ends) + holdSeconds * 1_000
    if (until > Date.now())
      progress.note(`Wave ${number} is watched for ${formatDuration((until - Date.now()) / 1_000)} more.`)
    for (; stop.reason === null && Date.now() < until; await watch())
      await delay(Math.min(WATCH_INTERVAL_MS, Math.max(0, until - Date.now())))
  }
}

const hasRolledBack = ({ detail }: MemberState): boolean =>
  detail !== null && !detail.flag.enabled && ['rolled-back', 'new'].includes(detail.stage)

function startWatch(watch: () => Promise<void>) {
  const stopped = new AbortController()
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await delay(WATCH_INTERVAL_MS, undefined, { signal: stopped.signal }).catch(() => undefined)
      if (!stopped.signal.aborted) await watch()
    }
  }
  const running = loop()
  return {
    stop: async () => {
      stopped.abort()
      await running
    },
  }
}
