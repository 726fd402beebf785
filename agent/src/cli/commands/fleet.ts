import { Option, type Command } from 'commander'
import { formatQuantity } from '../../format/format.ts'
import { parsePercentage } from '../argumentParsers.ts'
import type { RegisterCommand } from '../commandSetup.ts'
import { CliError, ExitCode, usageError } from '../exitCode.ts'
import { advanceFleet } from '../fleet/advanceFleet.ts'
import { readFleet, type Fleet } from '../fleet/fleetFile.ts'
import type { FleetFailure, FleetProgress } from '../fleet/followMember.ts'
import { memberTroubles, readMember, type MemberState } from '../fleet/memberState.ts'
import { FLEET_STAGES, nextStep, type FleetStage, type Goal } from '../fleet/nextStep.ts'
import { rollBackFleet, type FleetRollbackScope } from '../fleet/rollBackFleet.ts'
import { hasLabels, type Member, type Wave } from '../fleet/waves.ts'
import { formatSummaryRows, SUMMARY_COLUMNS } from '../formatResponses.ts'
import { createOutput, type Output, type Terminal } from '../terminal.ts'

interface FleetOptions {
  readonly json?: boolean
  readonly member?: readonly string[]
  readonly label?: Readonly<Record<string, string>>
}

interface AdvanceOptions extends FleetOptions {
  readonly to: FleetStage
  readonly percentage?: number
  readonly ramp?: boolean
  readonly again?: boolean
  readonly dryRun?: boolean
  readonly reason?: string
}

interface FleetRollbackOptions extends FleetOptions {
  readonly scope: FleetRollbackScope
  readonly confirm?: string
  readonly reason?: string
}

export const registerFleet: RegisterCommand = (program, run) => {
  const fleet = program.command('fleet').description('The same table in many databases: all of them, in waves')
  addFleetOptions(fleet.command('status'))
    .description('Show each member with its wave and what it needs')
    .action(run(showFleet))
  addFleetOptions(fleet.command('advance'))
    .description('Take the members to a stage, wave by wave; run it again to continue')
    .addOption(new Option('--to <stage>', 'Stage').choices(FLEET_STAGES).makeOptionMandatory())
    .option('--percentage <number>', 'With --to enabled: percentage of targeting keys (default: 100)', parsePercentage)
    .option('--ramp', 'With --to enabled: go there in the steps of flag.ramp')
    .option('--again', 'Also take members that were rolled back the whole way again')
    .option('--dry-run', 'Show what would be done first at each member; change nothing')
    .option('--reason <text>', 'Reason, recorded with each operation')
    .action(run(advance))
  addFleetOptions(fleet.command('rollback'))
    .description('Roll back every member; the flag at all of them at once, never stopped by an error')
    .addOption(new Option('--scope <scope>', 'Scope').choices(['flag', 'data', 'system']).default('flag'))
    .option('--confirm <rollout>', 'Confirm data or system with the name of the rollout')
    .option('--reason <text>', 'Reason, recorded with each operation')
    .action(run(rollBack))
}

const addFleetOptions = (command: Command): Command =>
  command
    .argument('<file>', 'Fleet file')
    .option('--member <name...>', 'Only these members')
    .option('--label <name=value...>', 'Only members with all of these labels', collectLabel)
    .option('--json', 'Print one JSON value per line')

function collectLabel(text: string, previous: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [name, value] = text.split(/=(.*)/s)
  if (!name || value === undefined) throw usageError(`--label ${text} must look like region=eu.`)
  return { ...previous, [name]: value }
}

/** The waves with the members that the options select. */
async function openFleet(
  terminal: Terminal,
  file: string,
  { member: names, label = {} }: FleetOptions,
): Promise<{ fleet: Fleet; waves: readonly Wave[]; members: readonly Member[] }> {
  const fleet = await readFleet(terminal, file)
  const unknown = (names ?? []).filter((name) => !fleet.members.some((member) => member.name === name))
  if (unknown.length > 0) throw usageError(`${file} has no member ${unknown.join(', ')}.`)
  const isSelected = (member: Member): boolean => (names?.includes(member.name) ?? true) && hasLabels(member, label)
  const waves = fleet.waves
    .map((wave) => ({ ...wave, members: wave.members.filter(isSelected) }))
    .filter((wave) => wave.members.length > 0)
  if (waves.length === 0) throw usageError('No member of the fleet has these labels.')
  return { fleet, waves, members: waves.flatMap((wave) => wave.members) }
}

async function showFleet(terminal: Terminal, file: string, options: FleetOptions): Promise<ExitCode> {
  const { fleet, waves } = await openFleet(terminal, file, options)
  return await printFleet(createOutput(terminal, options.json ?? false), fleet, waves, null)
}

/** The table of the members; the exit code says whether one of them needs a person. */
async function printFleet(output: Output, fleet: Fleet, waves: readonly Wave[], goal: Goal | null): Promise<ExitCode> {
  const rows = await Promise.all(
    waves.flatMap(({ number, members }) =>
      members.map(async (member) => ({ number, state: await readMember(fleet.rollout, member) })),
    ),
  )
  for (const { number, state } of rows)
    output.value({
      member: state.member.name,
      wave: number,
      stage: state.detail?.stage ?? null,
      ...memberView(state, goal),
    })
  output.table([
    ['MEMBER', 'WAVE', ...SUMMARY_COLUMNS, ...(goal ? ['NEXT'] : []), 'NEEDS'],
    ...rows.map(({ number, state }) => {
      const summary = state.detail ? formatSummaryRows([state.detail])[0]! : SUMMARY_COLUMNS.map(() => '–')
      const { next, needs } = memberView(state, goal)
      return [
        state.member.name,
        String(number),
        ...summary,
        ...(goal ? [next ?? 'nothing'] : []),
        needs.join('; ') || '–',
      ]
    }),
  ])
  return rows.some(({ state }) => memberTroubles(state).length > 0) ? ExitCode.failed : ExitCode.done
}

function memberView(state: MemberState, goal: Goal | null): { next: string | null; needs: readonly string[] } {
  const step = state.detail && goal ? nextStep(state.detail, goal) : null
  return { next: step?.kind ?? null, needs: memberTroubles(state) }
}

async function advance(terminal: Terminal, file: string, options: AdvanceOptions): Promise<ExitCode> {
  const goal = requireGoal(options)
  const { fleet, waves, members } = await openFleet(terminal, file, options)
  const output = createOutput(terminal, options.json ?? false)
  if (options.dryRun) return await printFleet(output, fleet, waves, goal)
  const progress = createProgress(output)
  const { failures, rolledBack } = await advanceFleet(
    fleet,
    waves,
    { goal, reason: options.reason, again: options.again ?? false },
    progress,
  )
  if (!rolledBack || !fleet.together) return endWith(failures, members)
  progress.note('A member has rolled back, and the fleet file says together: the flag goes off everywhere.')
  const left = await rollBackFleet(
    fleet,
    fleet.members,
    'flag',
    'A member of the fleet has rolled back',
    progress,
    output,
  )
  return endWith([...failures, ...left], members)
}

function requireGoal({ to: stage, percentage, ramp }: AdvanceOptions): Goal {
  if (stage !== 'enabled' && (percentage !== undefined || ramp))
    throw usageError('--percentage and --ramp require --to enabled.')
  if (ramp && percentage !== undefined) throw usageError('Use either --ramp or --percentage.')
  return { stage, flag: ramp ? { ramp } : { percentage: percentage ?? 100 } }
}

async function rollBack(terminal: Terminal, file: string, options: FleetRollbackOptions): Promise<ExitCode> {
  const { fleet, members } = await openFleet(terminal, file, options)
  const output = createOutput(terminal, options.json ?? false)
  const { scope, confirm, reason } = options
  if (scope !== 'flag' && confirm !== fleet.rollout)
    throw usageError(
      `This rolls back the ${scope} of ${formatQuantity(members.length, 'member')}: ${members.map(({ name }) => name).join(', ')}. To confirm, pass --confirm ${fleet.rollout}. Nothing was changed.`,
    )
  const failures = await rollBackFleet(fleet, members, scope, reason, createProgress(output), output)
  return endWith(failures, members)
}

function createProgress(output: Output): FleetProgress {
  return {
    report(member, text, operation) {
      output.line(`${member.name}: ${text}`)
      output.value({ member: member.name, text, operation: operation ?? null })
    },
    note: (text) => output.note(text),
  }
}

/** @throws CliError: members failed; each with its reasons */
function endWith(failures: readonly FleetFailure[], members: readonly Member[]): ExitCode {
  if (failures.length === 0) return ExitCode.done
  const names = new Set(failures.map(({ member }) => member))
  throw new CliError(
    ExitCode.failed,
    'members-failed',
    `${names.size} of ${formatQuantity(members.length, 'member')} failed. Solve what is named, then run the command again: it goes on from there.`,
    failures.map(({ member, sentences }) => `${member}: ${sentences.join(' ')}`),
  )
}
