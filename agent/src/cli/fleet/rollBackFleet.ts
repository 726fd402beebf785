import { PassThrough } from 'node:stream'
import { createAgentClient } from '../agentClient.ts'
import { connectTarget } from '../environmentTarget.ts'
import { CliError, ExitCode } from '../exitCode.ts'
import { rollbackRequest } from '../rollbackRequest.ts'
import { sendIdempotent } from '../runOperation.ts'
import type { Output } from '../terminal.ts'
import { turnOffFlag } from '../turnOffFlag.ts'
import type { Fleet } from './fleetFile.ts'
import { followToSuccess, memberError, type FleetFailure, type FleetProgress } from './followMember.ts'
import { forEachAtOnce } from './forEachAtOnce.ts'
import type { Member } from './waves.ts'

export type FleetRollbackScope = 'flag' | 'data' | 'system'

/**
 * Rolls each member back, and never stops at an error. The flag goes off at all members at once, at each of their agents;
 * data and system go back `atOnce` members at a time.
 *
 * @returns the members that did not roll back; empty if all did
 */
export async function rollBackFleet(
  fleet: Fleet,
  members: readonly Member[],
  scope: FleetRollbackScope,
  reason: string | undefined,
  progress: FleetProgress,
  output: Output,
): Promise<readonly FleetFailure[]> {
  const failures: FleetFailure[] = []
  await forEachAtOnce(members, scope === 'flag' ? members.length : fleet.atOnce, async (member) => {
    try {
      if (scope === 'flag') await rollBackFlag(fleet.rollout, member, reason, progress, output)
      else await rollBackScope(fleet.rollout, member, scope, reason, progress)
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      failures.push({ member: member.name, sentences: [error.message, ...error.reasons] })
      progress.note(`${member.name}: ${[error.message, ...error.reasons].join(' ')}`)
    }
  })
  return failures
}

/** As `sti rollback flag` does it: at every agent of the member if its database does not answer. */
async function rollBackFlag(
  rollout: string,
  member: Member,
  reason: string | undefined,
  progress: FleetProgress,
  { terminal }: Output,
): Promise<void> {
  const target = await connectTarget(member.agents.map(createAgentClient), member.environment)
  const request = rollbackRequest(target, 'flag', rollout, { reason })
  // Its lines get the member's name; a progress bar would be drawn over those of the other members.
  const quiet = new PassThrough().resume()
  const memberOutput: Output = {
    json: false,
    terminal: { ...terminal, stdout: quiet, stderr: quiet },
    line: (text) => progress.report(member, text),
    note: (text) => progress.report(member, text),
    table: () => undefined,
    rows: () => undefined,
    value: () => undefined,
  }
  const code = await turnOffFlag(target, rollout, request, memberOutput, {})
  if (code !== ExitCode.done) throw memberError('The rollback of the flag did not succeed.')
}

async function rollBackScope(
  rollout: string,
  member: Member,
  scope: 'data' | 'system',
  reason: string | undefined,
  progress: FleetProgress,
): Promise<void> {
  const target = await connectTarget(member.agents.map(createAgentClient), member.environment)
  const request = rollbackRequest(target, scope, rollout, { reason })
  const preview = await target.agent.preview(rollout, request)
  if (preview.code === 'nothing-to-roll-back') return progress.report(member, 'nothing to roll back')
  const started = await sendIdempotent(target.agents, (each, key) => each.start(rollout, request, key))
  progress.report(member, `rollback ${started.id} started`, started)
  await followToSuccess(target, member, started, progress.report)
}
