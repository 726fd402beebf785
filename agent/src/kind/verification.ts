import { acceptCheckCommand, isAcceptedCheck, ROW_LAYERS, type ValidationLayer } from '../contract/index.ts'
import { matchAcceptances } from '../acceptance/acceptanceStore.ts'
import type { RolloutFacts } from './facts.ts'

type VerificationFacts = Pick<
  RolloutFacts,
  'validation' | 'rollout' | 'lastWriteEndedAt' | 'checksFailedSince' | 'columnAddedAt' | 'acceptances'
>

/**
 * Why the newest validation does not let the flag be turned on, one sentence each. Empty: a validation of this file has
 * passed since the last backfill, retry, or rollback ended, with all checks of every layer that the file requires, and
 * none of these checks has failed in a later validation.
 */
export function verificationGaps(facts: VerificationFacts): string[] {
  const gaps = gapsOfLayers(facts, facts.rollout.file.validation.requires)
  const { validation } = facts
  return gaps.length === 0 && validation !== null && validation.verdict !== 'pass'
    ? [`Validation ${validation.id} did not pass.`]
    : gaps
}

/**
 * Why the newest validation does not verify the rows, one sentence each: the layer integrity, and business if the file
 * requires it. The layers performance and system judge the service and the server, on which only the flag depends.
 */
export function rowVerificationGaps(facts: VerificationFacts): string[] {
  return gapsOfLayers(facts, requiredRowLayers(facts.rollout.file.validation.requires))
}

/** Integrity, and business if it is required. */
export const requiredRowLayers = (requires: readonly ValidationLayer[]): ValidationLayer[] =>
  ROW_LAYERS.filter((layer) => layer === 'integrity' || requires.includes(layer))

/** What only the flag waits for: the rows are verified without it. */
export function flagOnlyGaps(facts: VerificationFacts): string[] {
  const gapsOfRows = rowVerificationGaps(facts)
  return verificationGaps(facts).filter((gap) => !gapsOfRows.includes(gap))
}

function gapsOfLayers(facts: VerificationFacts, layers: readonly ValidationLayer[]): string[] {
  const { validation, rollout, lastWriteEndedAt, columnAddedAt } = facts
  if (validation === null) return ['No validation has ended.']
  const name = `Validation ${validation.id}`
  if (validation.derivationHash !== rollout.derivationHash)
    return [`${name} used a rollout file that derives types differently.`]
  if (columnAddedAt !== null && validation.startedAt <= columnAddedAt)
    return [`${name} started before the column was added.`]
  const failedSince = facts.checksFailedSince.filter(({ layer }) => layers.includes(layer)).map(({ check }) => check)
  return [
    ...layers.flatMap((layer) => layerGap(facts, validation, layer)),
    ...endedAcceptances(facts, validation, layers),
    ...(failedSince.length > 0 ? [`Checks that failed since ${name.toLowerCase()}: ${failedSince.join(', ')}.`] : []),
    ...(lastWriteEndedAt !== null && validation.startedAt <= lastWriteEndedAt
      ? [`${name} started before the last backfill, retry or rollback ended.`]
      : []),
  ]
}

/** A validation passed with what was accepted when it ran: an acceptance that expires or is withdrawn ends that. */
function endedAcceptances(
  { acceptances }: VerificationFacts,
  { id, checks }: NonNullable<RolloutFacts['validation']>,
  layers: readonly ValidationLayer[],
): string[] {
  return checks
    .filter((check) => isAcceptedCheck(check) && layers.includes(check.layer))
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
  { rollout }: VerificationFacts,
  { id, layers, checks }: NonNullable<RolloutFacts['validation']>,
  layer: ValidationLayer,
): string[] {
  const result = layers.find((candidate) => candidate.layer === layer)
  const required = rollout.file.validation.requires.includes(layer) ? ', which validation.requires lists' : ''
  if (result === undefined || (result.verdict === 'pass' && !result.complete))
    return [`Validation ${id} did not run every check of the layer ${layer}${required}.`]
  if (result.verdict === 'pass') return []
  const outcomes = { fail: 'failed', error: 'had an error', inconclusive: 'was inconclusive' }
  const acceptable = checks.filter((check) => check.layer === layer && check.acceptable.length > 0)
  const advice =
    result.verdict === 'inconclusive' && acceptable.length > 0
      ? ` If an admin knows that it is safe: ${acceptable.map(({ check }) => acceptCheckCommand(check)).join('; ')}; then validate again.`
      : ''
  return [`The layer ${layer} of validation ${id} ${outcomes[result.verdict]} (${result.detail}).${advice}`]
}
