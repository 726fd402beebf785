import { Layer } from '../../contract/index.ts'
import { span, type DropCheck } from './check.ts'

/** Two intervals of the file: then one that was started by itself has been missed. */
const INTERVALS = 2

export const validation: DropCheck = {
  name: 'validation-passed',
  question: 'Has a validation of all layers passed, and lately?',
  run({ facts, now }) {
    const { rollout, validation: last, verified, failedSince } = facts
    const because = (evidence: string, findings: string[] = []) =>
      Promise.resolve({ verdict: 'fail' as const, evidence, findings })
    if (last?.endedAt == null) return because('no validation has ended: run one (sti validate --full-validation)')
    const { requires, every } = rollout.file.validation
    const layers = Layer.options.map((layer) => ({
      layer,
      required: requires.includes(layer),
      result: last.layers.find((one) => one.layer === layer),
    }))
    const shown = layers.map(
      ({ layer, required, result }) =>
        `${layer}: ${result?.verdict ?? 'not run'}${required ? '' : ' (the rollout file does not require it)'}${result?.detail ? `, ${result.detail}` : ''}`,
    )
    const bad = layers.filter(
      ({ required, result }) =>
        result?.verdict === 'fail' || (required && (result?.verdict !== 'pass' || !result.complete)),
    )
    if (bad.length > 0)
      return because(
        `validation ${last.id} did not pass ${bad.map(({ layer }) => layer).join(', ')}: mend that and validate again (sti validate --full-validation)`,
        shown,
      )
    if (!verified)
      return because(
        `validation ${last.id} says nothing of the table as it is now${failedSince.length > 0 ? `, ${failedSince.join(', ')} failed since` : ''}: validate again`,
        shown,
      )
    const age = (now - Date.parse(last.endedAt)) / 1000
    if (age > INTERVALS * every)
      return because(
        `validation ${last.id} is ${span(age)} old, which is more than ${INTERVALS} intervals of ${span(every)}: validate again`,
        shown,
      )
    if (facts.flag.changedAt !== null && last.startedAt < facts.flag.changedAt)
      return because(
        `validation ${last.id} began before the flag was changed at ${facts.flag.changedAt}: validate again`,
        shown,
      )
    return Promise.resolve({
      verdict: 'pass' as const,
      evidence: `validation ${last.id} passed ${requires.join(', ')} at ${last.endedAt}, ${last.totalRows ?? 0} rows`,
      findings: shown,
    })
  },
}
