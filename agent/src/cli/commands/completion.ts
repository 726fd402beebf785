import { Argument, type Command } from 'commander'
import { ExitCode } from '../exitCode.ts'
import type { RegisterCommand } from '../commandSetup.ts'
import { createOutput, type Terminal } from '../terminal.ts'

export const registerCompletion: RegisterCommand = (program, run) => {
  program
    .command('completion')
    .description('Print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'Shell').choices(['bash', 'zsh']))
    .action(
      run((terminal: Terminal, shell: string) => {
        const output = createOutput(terminal, false)
        const script =
          shell === 'zsh' ? `autoload -U +X bashcompinit && bashcompinit\n${bashScript(program)}` : bashScript(program)
        script.split('\n').forEach((line) => output.line(line))
        return Promise.resolve(ExitCode.done)
      }),
    )
}

/** The words that can follow each command, keyed by its name with its parents: `operations tune`. */
function completions(command: Command, path: readonly string[] = []): [string, string[]][] {
  const options = command.options.flatMap(({ long }) => (long ? [long] : []))
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  const children = command.commands.filter((child) => child.name() !== 'help')
  const words = [...children.map((child) => child.name()), ...choices, ...options, '--help'].toSorted()
  return [[path.join(' '), words], ...children.flatMap((child) => completions(child, [...path, child.name()]))]
}

/** An option that takes a value is followed by a file name, unless it has fixed choices. */
function optionValues(command: Command): [string, readonly string[]][] {
  const own = command.options
    .filter(({ long, required, optional }) => long && (required || optional))
    .map(({ long, argChoices }): [string, readonly string[]] => [long!, argChoices ?? []])
  return [...own, ...command.commands.flatMap(optionValues)]
}

function bashScript(program: Command): string {
  const cases = completions(program).map(([path, words]) => `    '${path}') words='${words.join(' ')}' ;;`)
  const values = new Map(optionValues(program))
  const options = [...values].map(([option, choices]) =>
    choices.length === 0
      ? `    ${option}) COMPREPLY=($(compgen -f -- "$current")); return ;;`
      : `    ${option}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return ;;`,
  )
  return [
    '_sti() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" path="" words="" word candidate index',
    '  case "$previous" in',
    ...options,
    '  esac',
    '  for ((index = 1; index < COMP_CWORD; index++)); do',
    '    word="${COMP_WORDS[index]}"',
    '    candidate="${path:+$path }$word"',
    '    case "$candidate" in',
    `      ${completions(program)
      .slice(1)
      .map(([path]) => `'${path}'`)
      .join('|')}) path="$candidate" ;;`,
    '    esac',
    '  done',
    '  case "$path" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))',
    '}',
    'complete -F _sti sti',
  ].join('\n')
}
