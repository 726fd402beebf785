/** What a command of the runbook is for; null: not known, so that the person fills it in. */
export interface RunbookTarget {
  readonly environment: string | null
  readonly rollout: string | null
}

/** `sti` alone and `sti <command>` name the program. */
const COMMAND = /^sti [a-z]/

/** Commands that work on files or on every agent of a fleet, so they have no option for the environment. */
const WITHOUT_TARGET = /^sti (fleet|init|check|provisioning|grafana-token|verify|agent|completion)\b/

/** True if the code is a command that a person would copy: of the CLI, of the shell, or of psql. */
export const isCommand = (code: string): boolean =>
  COMMAND.test(code) || /^(select|update|drop|curl) /.test(code) || code.startsWith('\\d ')

/** A command with its environment and its rollout filled in; what is not known stays as it is. */
export function fillCommand(code: string, { environment, rollout }: RunbookTarget): string {
  const filled = rollout === null ? code : code.replaceAll('<rollout>', rollout)
  if (!COMMAND.test(code) || WITHOUT_TARGET.test(code) || environment === null) return filled
  const words = filled.replace(/ --environment \S+/, '').split(' ')
  // Before the first option, so that a reason to fill in stays at the end.
  const firstOption = words.findIndex((word) => word.startsWith('--'))
  const end = firstOption === -1 ? words.length : firstOption
  const target = [`--environment ${environment}`, ...(rollout === null ? [] : [`--rollout ${rollout}`])]
  return [...words.slice(0, end), ...target, ...words.slice(end)].join(' ')
}
