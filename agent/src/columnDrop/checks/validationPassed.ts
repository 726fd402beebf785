import { ValidationLayer } from '../../contract/index.ts'
import { verificationGaps } from '../../kind/verification.ts'
import { formatQuantity, formatDuration } from '../../format/format.ts'
import type { DropCheck } from './dropCheck.ts'

/** Two intervals of the rollout file: a scheduled validation was missed after that. */
const MAX_AGE_INTERVALS = 2

export const validationPassed: DropCheck = {
  name: 'validation-passed',
  question: 'Did a recent validation pass all layers?',
  run({ facts, now }) {
    const { rollout, validation: last } = facts
    const fail = (evidence: string, findings: string[] = []) =>
      Promise.resolve({ verdict: 'fail' as const, evidence, findings })
    if (last?.endedAt == null) return fail('no validation has finished: run one (sti validate --full-validation)')
    const { requires, every } = rollout.file.validation
    const layers = ValidationLayer.options.map((layer) => ({
      layer,
      required: requires.includes(layer),
      result: last.layers.find((candidate) => candidate.layer === layer),
    }))
    const layerSummaries = layers.map(
      ({ layer, required, result }) =>
        `${layer}: ${result?.verdict ?? 'not run'}${required ? '' : ' (the rollout file does not require it)'}${result?.detail ? `, ${result.detail}` : ''}`,
    )
    const failedLayers = layers.filter(
      ({ required, result }) => required && (result?.verdict !== 'pass' || !result.complete),
    )
    if (failedLayers.length > 0)
      return fail(
        `validation ${last.id} did not pass ${failedLayers.map(({ layer }) => layer).join(', ')}: fix the cause and validate again (sti validate --full-validation)`,
        layerSummaries,
      )
    const gaps = verificationGaps(facts)
    if (gaps.length > 0)
      return fail(`${gaps.join(' ')} Validate again (sti validate --full-validation)`, layerSummaries)
    const age = (now - Date.parse(last.endedAt)) / 1000
    if (age > MAX_AGE_INTERVALS * every)
      return fail(
        `validation ${last.id} is ${formatDuration(Math.floor(age))} old (limit: ${MAX_AGE_INTERVALS} intervals of ${formatDuration(every)}): validate again`,
        layerSummaries,
      )
    if (facts.flag.changedAt !== null && last.startedAt < facts.flag.changedAt)
      return fail(
        `validation ${last.id} started before the last change of the flag at ${facts.flag.changedAt}: validate again`,
        layerSummaries,
      )
    return Promise.resolve({
      verdict: 'pass' as const,
      evidence: `validation ${last.id} passed ${requires.join(', ')} at ${last.endedAt} (${formatQuantity(last.totalRows ?? 0, 'row')})`,
      findings: layerSummaries,
    })
  },
}
