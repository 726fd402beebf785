import type { Verdict } from '../../contract/index.ts'
import type { RunContext } from '../../kind/kind.ts'
import type { ServerReadings } from '../../signals/serverReadings.ts'
import type { CheckFinding } from '../check.ts'
import { awaitReading } from './awaitReading.ts'

const SEVERITY = { pass: 0, inconclusive: 1, error: 2, fail: 3 } satisfies Record<Verdict, number>

/**
 * The worst finding of a check that is about a server: of the one that the agent is connected to, and of each worker of
 * Citus that has rows, whose finding names it.
 */
export async function worstOfServers(
  run: RunContext,
  signal: AbortSignal,
  check: (server: ServerReadings) => Promise<CheckFinding>,
): Promise<CheckFinding> {
  const [own, nodes] = await Promise.all([check(run.pressure), awaitReading(() => run.pressure.nodes(), signal)])
  if ('verdict' in nodes) return own.verdict === 'fail' ? own : nodes
  const found = await Promise.all(
    nodes.value.map(async (server): Promise<CheckFinding> => {
      const finding = await check(server)
      return { ...finding, detail: `${finding.detail} on node ${server.node}` }
    }),
  )
  const badness = ({ verdict, value }: CheckFinding): [number, number] => [SEVERITY[verdict], value ?? 0]
  return [own, ...found].reduce((worst, finding) => {
    const [[verdict, value], [worstVerdict, worstValue]] = [badness(finding), badness(worst)]
    return verdict > worstVerdict || (verdict === worstVerdict && value > worstValue) ? finding : worst
  })
}
