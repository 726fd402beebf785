/** Scripts of rollout plans, and the command that does the same with the same options. */
export const SCRIPT_COMMANDS: Readonly<Record<string, string>> = {
  performance_baseline: 'baseline',
  toggle_sti_flag: 'flag',
  enhanced_backfill: 'backfill',
  validate_sti_rollout: 'validate',
  prepare_column_drop_migration: 'prepare-column-drop',
  rollback_sti_data: 'rollback data',
  rollback_system_changes: 'rollback system',
}

/**
 * The command to use instead of a script of a rollout plan, with the options that were typed: for
 * `./scripts/toggle_sti_flag.py --enable` it is `sti flag --enable`. Null if the first argument is not such a script.
 */
export function commandForScript([script, ...options]: readonly string[]): string | null {
  const name = script?.split('/').at(-1)!.replace(/\.py$/, '').replaceAll('-', '_') ?? ''
  if (!Object.hasOwn(SCRIPT_COMMANDS, name)) return null
  return ['sti', SCRIPT_COMMANDS[name], ...options.map(quoteArgument)].join(' ')
}

const quoteArgument = (argument: string): string =>
  /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`
