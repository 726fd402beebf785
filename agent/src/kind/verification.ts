import { acceptCheckCommand, isAcceptedCheck } from '../contract/index.ts'
import { matchAcceptances } from '../acceptance/acceptanceStore.ts'
import type { RolloutFacts } from './facts.ts'

type VerificationFacts = Pick<
  RolloutFacts,
  'validation' | 'rollout' | 'lastWriteEndedAt' | 'checksFailedSince' | 'columnAddedAt' | 'acceptances'
>

/**
 * Why the newest validation does not verify the table as it is now, one sentence each. Empty: a validation of this file
 * has passed since the last backfill, retry, or rollback ended, with all checks of every layer that the file requires,
 * and none of these checks has failed in a later validation.
 */
export function verificationGaps(facts: VerificationFacts): string[] {
  const { validation, rollout, lastWriteEndedAt, columnAddedAt, checksFailedSince: failedSince } = facts
  if (validation === null) return ['No validation has ended.']
  const name = `Validation ${validation.id}`
  if (validation.derivationHash !== rollout.derivationHash)
    return [`${name} used a rollout file that derives types differently.`]
  if (columnAddedAt !== null && validation.startedAt <= columnAddedAt)
    return [`${name} started before the column was added.`]
  const layerGaps = rollout.file.validation.requires.flatMap((layer) => layerGap(validation, layer))
  return [
    ...(layerGaps.length === 0 && validation.verdict !== 'pass' ? [`${name} did not pass.`] : layerGaps),
    ...endedAcceptances(facts, validation),
    ...(failedSince.length > 0 ? [`Checks that failed since ${name.toLowerCase()}: ${failedSince.join(', ')}.`] : []),
    ...(lastWriteEndedAt !== null && validation.startedAt <= lastWriteEndedAt
      ? [`${name} started before the last backfill, retry or rollback ended.`]
      : []),
  ]
}

/** A validation passed with what was accepted when it ran: an acceptance that expires or is withdrawn ends that. */
function endedAcceptances(
  { rollout, acceptances }: VerificationFacts,
  { id, checks }: NonNullable<RolloutFacts['validation']>,
): string[] {
  return checks
    .filter((check) => isAcceptedCheck(check) && rollout.file.validation.requires.includes(check.layer))
    .flatMap(({ check, accepted }) => {
      const { open } = matchAcceptances(
        acceptances,
        check,
        accepted.map(({ subject }) => subject),
      )
      if (open.length === 0) return []
      return [
        `Validation ${id} passed with an acceptance of ${check} that is no longer valid: provide what the check is missing, or let an admin accept it again (${acceptCheckCommand(check)}), then validate.`,
      ]
    })
}

function layerGap(
  { id, layers, checks }: NonNullable<RolloutFacts['validation']>,
  layer: RolloutFacts['rollout']['file']['validation']['requires'][number],
): string[] {
  const result = layers.find((candidate) => candidate.layer === layer)
  if (result === undefined || (result.verdict === 'pass' && !result.complete))
    return [`Validation ${id} did not run every check of the layer ${layer}, which validation.requires lists.`]
  if (result.verdict === 'pass') return []
  const outcomes = { fail: 'failed', error: 'had an error', inconclusive: 'was inconclusive' }
  const acceptable = checks.filter((check) => check.layer === layer && check.acceptable.length > 0)
  const advice =
    result.verdict === 'inconclusive' && acceptable.length > 0
      ? ` If an admin knows that it is safe: ${acceptable.map(({ check }) => acceptCheckCommand(check)).join('; ')}; then validate again.`
      : ''
  return [`The layer ${layer} of validation ${id} ${outcomes[result.verdict]} (${result.detail}).${advice}`]
}
