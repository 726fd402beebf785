import type { CheckResult, Validation } from '../../agent/src/contract/index.ts'
import type { TestAgent } from '../support/agent.ts'

/** Validates and returns the whole report, whatever the verdict. */
export async function validate(agent: TestAgent, parameters: Record<string, unknown> = {}): Promise<Validation> {
  const { result } = await agent.run('validation', parameters)
  return await agent.get<Validation>(`/v1/rollouts/vehicles/validations/${Number(result!['validation'])}`)
}

export function findCheck(validation: Validation, check: string): CheckResult {
  const found = validation.checks.find((candidate) => candidate.check === check)
  if (!found) throw new Error(`no check ${check} among ${validation.checks.map((other) => other.check).join(', ')}`)
  return found
}

/** The checks that did not pass, as `name: detail`. */
export function failedChecks(validation: Validation, layer = 'integrity'): string[] {
  return validation.checks
    .filter((check) => check.layer === layer && check.verdict !== 'pass')
    .map((check) => `${check.check} ${check.verdict}: ${check.detail}`)
}
