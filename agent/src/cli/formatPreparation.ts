import { formatCount } from '../format/format.ts'
import type { Preparation, PreparationFinding, PreparationStep } from '../rollout/preparation.ts'

const STEPS: readonly PreparationStep[] = ['expand', 'backfill', 'validation', 'finalize', 'column drop']

/** The rows of each type, then what each step would refuse (`x`) or could not decide (`!`), in the order of the steps. */
export function formatPreparation({ rows, sampled, findings }: Preparation): string[] {
  const counts = rows.map(({ type, count }) => `${formatCount(count)} ${type ?? 'without a type'}`)
  const lines = rows.length === 0 ? [] : [`Rows${sampled ? ' (sample)' : ''}: ${counts.join(', ')}`]
  for (const step of STEPS) {
    const own = findings.filter((finding) => finding.step === step)
    if (own.length === 0) continue
    lines.push(
      '',
      `${step[0]!.toUpperCase()}${step.slice(1)}${own.some(({ refused }) => refused) ? ' would be refused' : ''}`,
    )
    lines.push(...own.flatMap(formatFinding))
  }
  return lines
}

const formatFinding = ({ refused, text, objects = [] }: PreparationFinding): string[] => [
  `  ${refused ? 'x' : '!'} ${text}`,
  ...objects.map((object) => `      - ${object}`),
]

/** The column drop is prepared much later, so what refuses it is no reason not to begin. */
export function refusesSoon({ findings }: Preparation): boolean {
  return findings.some(({ step, refused }) => refused && step !== 'column drop')
}
