import { z } from '@hono/zod-openapi'
import type { AccessLevel } from './enums.ts'
import {
  ArchiveRemovalParameters,
  BackfillParameters,
  BaselineParameters,
  ColumnDropParameters,
  FlagParameters,
  MonitoringParameters,
  RehearsalParameters,
  RollbackParameters,
  ValidationParameters,
} from './parameters.ts'

/** Names of Grafana's icons. The plugin does not compile with one that does not exist. */
type ActionIcon =
  | 'check-circle'
  | 'eye'
  | 'file-alt'
  | 'history'
  | 'lock'
  | 'play'
  | 'plus-circle'
  | 'record-audio'
  | 'repeat'
  | 'toggle-off'
  | 'toggle-on'
  | 'trash-alt'

/** What a person must know before confirming, one clause each. */
export interface OperationImpact {
  /** What is lost. */
  readonly lost: string
  /** If and how it can be undone. */
  readonly undo: string
  /** If and how long writes of the application are blocked. */
  readonly writes: string
}

/** One way to start an operation: a button, a command, and a right. */
export interface OperationActionDeclaration<Parameters extends z.ZodType = z.ZodType> {
  /** The lowest level with the right. STI_RIGHTS can raise it. */
  readonly level: AccessLevel
  /** The command that starts it. */
  readonly command: string
  /** On buttons, as a verb. */
  readonly label: string
  readonly icon: ActionIcon
  /** Title of its confirmation. */
  title(rollout: string): string
  /** What it does, in one or two sentences. */
  readonly description: string
  readonly impact: OperationImpact
  /** It removes or reverts something. */
  readonly destructive: boolean
  /** `required`: the API refuses a request without one. `expected`: only the UI insists on one. */
  readonly reason: 'optional' | 'expected' | 'required'
  /** `parameters.confirm` must be the name of the rollout. */
  readonly confirmByName: boolean
  /** The parameters with which the agent decides whether the action is allowed now. */
  readonly parameters: z.input<Parameters>
}

/** Everything about a kind of operation that is not its implementation. */
export interface OperationKindDeclaration<
  Parameters extends z.ZodType = z.ZodType,
  Name extends string = string,
  Additional extends string = string,
> {
  /** A noun: “Backfill 12 is running”. */
  readonly noun: string
  readonly parameters: Parameters
  readonly actions: Readonly<Record<Name, OperationActionDeclaration<Parameters>>>
  /** The action that a request with these parameters starts. */
  action(parameters: z.output<Parameters>): Name
  /** Rights that these parameters require besides the right of the action and, with `force: true`, `force`. */
  additionalRights?(parameters: z.output<Parameters>): readonly Additional[]
  /** A rollout has one open operation at a time that writes the table; all others run alongside it. */
  writesTable(parameters: { readonly scope?: unknown }): boolean
  /** The agent starts it automatically at the interval in the rollout file. */
  readonly scheduled: boolean
}

const declareKind = <Parameters extends z.ZodType, Name extends string, Additional extends string = never>(
  declaration: OperationKindDeclaration<Parameters, Name, Additional>,
) => declaration

const HARMLESS = { destructive: false, reason: 'optional', confirmByName: false } as const
const NOTHING_CHANGES = {
  lost: 'nothing',
  undo: 'nothing to undo',
  writes: 'not blocked',
} as const satisfies OperationImpact
const BACKFILL_IMPACT = {
  lost: 'nothing: the legacy columns are not written',
  undo: 'Roll back data removes the column; cancelling keeps the rows that are written',
  writes: 'not blocked, except the rows of one batch, for about 100 ms at most',
} as const satisfies OperationImpact
const ENABLE_IMPACT = {
  lost: 'nothing: a type that new code writes is copied to the legacy columns',
  undo: 'Roll back flag turns it off immediately',
  writes: 'not blocked',
} as const satisfies OperationImpact
const always = (): boolean => true
const never = (): boolean => false

const DECLARATIONS = {
  expand: declareKind({
    noun: 'Expand',
    parameters: z.object({}).default({}),
    actions: {
      expand: {
        ...HARMLESS,
        level: 'editor',
        command: 'expand',
        label: 'Expand',
        icon: 'plus-circle',
        title: (rollout) => `Expand ${rollout}`,
        description: 'Adds the discriminator column and the dual-write trigger.',
        impact: {
          lost: 'nothing',
          undo: 'Roll back data removes the column and the trigger',
          writes: 'blocked for milliseconds; it waits at most 100 ms for the lock, and retries',
        },
        parameters: {},
      },
    },
    action: () => 'expand',
    writesTable: always,
    scheduled: false,
  }),
  baseline: declareKind({
    noun: 'Baseline',
    parameters: BaselineParameters.prefault({}),
    actions: {
      baseline: {
        ...HARMLESS,
        level: 'editor',
        command: 'baseline',
        label: 'Take baseline',
        icon: 'record-audio',
        title: (rollout) => `Take a baseline of ${rollout}`,
        description:
          'Measures every signal and query as they are now, for later comparison. Writes nothing to the table.',
        impact: NOTHING_CHANGES,
        parameters: {},
      },
    },
    action: () => 'baseline',
    writesTable: never,
    scheduled: false,
  }),
  backfill: declareKind({
    noun: 'Backfill',
    parameters: BackfillParameters.prefault({}),
    actions: {
      backfill: {
        ...HARMLESS,
        level: 'editor',
        command: 'backfill',
        label: 'Backfill',
        icon: 'play',
        title: (rollout) => `Backfill ${rollout}`,
        description: 'Writes the type of every row that does not have it yet, in batches that can be paused.',
        impact: BACKFILL_IMPACT,
        parameters: {},
      },
      'retry-failed-rows': {
        ...HARMLESS,
        level: 'editor',
        command: 'retry-failed-rows',
        label: 'Retry failed rows',
        icon: 'repeat',
        title: (rollout) => `Retry the failed rows of ${rollout}`,
        description: 'Writes the type of the rows that failed before.',
        impact: BACKFILL_IMPACT,
        parameters: { failedRowsOnly: true },
      },
    },
    action: ({ failedRowsOnly }) => (failedRowsOnly === true ? 'retry-failed-rows' : 'backfill'),
    additionalRights: ({ failedRowsOnly, enableMonitoring, rollbackOnError }) => [
      ...(failedRowsOnly === true ? (['backfill'] as const) : []),
      ...(enableMonitoring ? (['monitoring'] as const) : []),
      ...(rollbackOnError === 'data' ? (['rollback-data'] as const) : []),
    ],
    writesTable: always,
    scheduled: false,
  }),
  validation: declareKind({
    noun: 'Validation',
    parameters: ValidationParameters.prefault({}),
    actions: {
      validation: {
        ...HARMLESS,
        level: 'editor',
        command: 'validate',
        label: 'Validate',
        icon: 'check-circle',
        title: (rollout) => `Validate ${rollout}`,
        description:
          'Runs the checks of the selected layers. Changes nothing; a complete integrity layer reads the table in short snapshots.',
        impact: { lost: 'nothing', undo: 'nothing to undo', writes: 'not blocked, except one row for a moment' },
        parameters: {},
      },
    },
    action: () => 'validation',
    writesTable: never,
    scheduled: true,
  }),
  finalize: declareKind({
    noun: 'Finalize',
    parameters: z.object({}).default({}),
    actions: {
      finalize: {
        ...HARMLESS,
        level: 'editor',
        command: 'finalize',
        label: 'Finalize',
        icon: 'lock',
        title: (rollout) => `Finalize ${rollout}`,
        description:
          'Collects statistics, builds the index, and adds the constraint, so that the table is ready for the flag.',
        impact: {
          lost: 'nothing',
          undo: 'Roll back data removes the index and the constraint with the column',
          writes: 'not blocked while the index is built; blocked for milliseconds for the constraint',
        },
        parameters: {},
      },
    },
    action: () => 'finalize',
    writesTable: always,
    scheduled: false,
  }),
  flag: declareKind({
    noun: 'Flag change',
    parameters: FlagParameters,
    actions: {
      enable: {
        ...HARMLESS,
        level: 'editor',
        command: 'flag',
        label: 'Enable flag',
        icon: 'toggle-on',
        title: (rollout) => `Enable the flag of ${rollout}`,
        description: 'The application starts to read by type.',
        impact: ENABLE_IMPACT,
        parameters: { enabled: true },
      },
      ramp: {
        ...HARMLESS,
        level: 'editor',
        command: 'flag',
        label: 'Ramp flag',
        icon: 'toggle-on',
        title: (rollout) => `Ramp the flag of ${rollout}`,
        description:
          'Raises the percentage by the steps in the rollout file, and checks each step before the next one.',
        impact: ENABLE_IMPACT,
        parameters: { enabled: true, ramp: true },
      },
      disable: {
        ...HARMLESS,
        level: 'editor',
        command: 'flag',
        label: 'Disable flag',
        icon: 'toggle-off',
        title: (rollout) => `Disable the flag of ${rollout}`,
        description: 'The application returns to the legacy columns.',
        impact: { lost: 'nothing', undo: 'enable the flag again', writes: 'not blocked' },
        parameters: { enabled: false },
      },
    },
    action: ({ enabled, ramp }) => (!enabled ? 'disable' : ramp ? 'ramp' : 'enable'),
    additionalRights: ({ enabled, ramp }) => (enabled && ramp ? (['enable'] as const) : []),
    writesTable: never,
    scheduled: false,
  }),
  rollback: declareKind({
    noun: 'Rollback',
    parameters: RollbackParameters,
    actions: {
      'rollback-flag': {
        level: 'editor',
        command: 'rollback flag',
        label: 'Roll back flag',
        icon: 'history',
        title: (rollout) => `Roll back the flag of ${rollout}`,
        description: 'Turns the flag off immediately, from memory, whatever else happens. The data is kept.',
        destructive: true,
        reason: 'optional',
        confirmByName: false,
        impact: { lost: 'nothing', undo: 'enable the flag again', writes: 'not blocked' },
        parameters: { scope: 'flag' },
      },
      'rollback-data': {
        level: 'admin',
        command: 'rollback data',
        label: 'Roll back data',
        icon: 'trash-alt',
        title: (rollout) => `Roll back the data of ${rollout}`,
        description:
          'Removes the discriminator from the table. Values that the legacy columns cannot express are archived first.',
        destructive: true,
        reason: 'expected',
        confirmByName: true,
        impact: {
          lost: 'the type column; types that the legacy columns cannot express are archived first',
          undo: 'only by repeating expand, backfill, and validation',
          writes: 'blocked for milliseconds when the column is dropped',
        },
        parameters: { scope: 'data' },
      },
      'rollback-system': {
        level: 'admin',
        command: 'rollback system',
        label: 'Roll back system',
        icon: 'trash-alt',
        title: (rollout) => `Roll back the system changes of ${rollout}`,
        description:
          'Reverts every change made for this rollout, newest first, after checking each against the catalog. If the column still exists, its data is rolled back first.',
        destructive: true,
        reason: 'expected',
        confirmByName: true,
        impact: {
          lost: 'every change that STI made, the type column included',
          undo: 'only by repeating the rollout',
          writes: 'blocked for milliseconds when the column is dropped',
        },
        parameters: { scope: 'system' },
      },
      'rollback-monitoring': {
        level: 'admin',
        command: 'rollback monitoring',
        label: 'Disable monitoring',
        icon: 'history',
        title: (rollout) => `Disable enhanced monitoring of ${rollout}`,
        description:
          'Restores every setting to its previous value. Settings that others have changed since then are kept and listed.',
        destructive: true,
        reason: 'optional',
        confirmByName: false,
        impact: { lost: 'nothing that was measured', undo: 'enable monitoring again', writes: 'not blocked' },
        parameters: { scope: 'monitoring' },
      },
    },
    action: ({ scope }) => `rollback-${scope}` as const,
    writesTable: ({ scope }) => scope === 'data' || scope === 'system',
    scheduled: false,
  }),
  monitoring: declareKind({
    noun: 'Monitoring change',
    parameters: MonitoringParameters.prefault({}),
    actions: {
      monitoring: {
        ...HARMLESS,
        level: 'editor',
        command: 'monitoring',
        label: 'Enable monitoring',
        icon: 'eye',
        title: (rollout) => `Enable enhanced monitoring of ${rollout}`,
        description:
          'Samples more often, and enables the PostgreSQL settings that per-statement times need. Each change is journaled.',
        impact: { lost: 'nothing', undo: 'Disable monitoring restores every setting', writes: 'not blocked' },
        parameters: { enabled: true },
      },
    },
    action: () => 'monitoring',
    additionalRights: ({ enabled }) => (enabled ? [] : (['rollback-monitoring'] as const)),
    writesTable: never,
    scheduled: false,
  }),
  rehearsal: declareKind({
    noun: 'Rehearsal',
    parameters: RehearsalParameters.prefault({}),
    actions: {
      rehearse: {
        ...HARMLESS,
        level: 'editor',
        command: 'rehearse',
        label: 'Rehearse',
        icon: 'play',
        title: (rollout) => `Rehearse the rollbacks of ${rollout}`,
        description:
          'Copies a sample of the rows, and runs expand, backfill, and the rollbacks of data and system on the copy. The table itself is only read.',
        impact: { lost: 'nothing: the copy is dropped at the end', undo: 'nothing to undo', writes: 'not blocked' },
        parameters: {},
      },
    },
    action: () => 'rehearse',
    writesTable: never,
    scheduled: true,
  }),
  'column-drop': declareKind({
    noun: 'Column drop',
    parameters: ColumnDropParameters.prefault({}),
    actions: {
      'prepare-column-drop': {
        level: 'admin',
        command: 'prepare-column-drop',
        label: 'Prepare column drop',
        icon: 'file-alt',
        title: (rollout) => `Prepare the column drop of ${rollout}`,
        description:
          'Runs every safety check, archives the legacy columns, and writes a migration, its rollback, and a pull request. It drops nothing.',
        destructive: false,
        reason: 'optional',
        confirmByName: true,
        impact: {
          lost: 'nothing: no column is dropped',
          undo: 'Remove archive removes what it created in the database',
          writes: 'not blocked, but slower while the archive exists, which its triggers keep up to date',
        },
        parameters: {},
      },
    },
    action: () => 'prepare-column-drop',
    writesTable: always,
    scheduled: false,
  }),
  'archive-removal': declareKind({
    noun: 'Archive removal',
    parameters: ArchiveRemovalParameters.prefault({}),
    actions: {
      'remove-archive': {
        level: 'admin',
        command: 'remove-archive',
        label: 'Remove archive',
        icon: 'trash-alt',
        title: (rollout) => `Remove the archive of ${rollout}`,
        description:
          'Permanently removes the archive of the legacy columns and its triggers. After the drop, this also removes the data that a restore needs.',
        destructive: true,
        reason: 'required',
        confirmByName: true,
        // Exporting it first or forcing the removal is chosen in the confirmation.
        impact: {
          lost: 'the archive; after the column drop also the data that a restore needs',
          undo: 'cannot be undone',
          writes: 'blocked for milliseconds when the triggers are dropped',
        },
        parameters: { force: true },
      },
    },
    action: () => 'remove-archive',
    writesTable: always,
    scheduled: false,
  }),
}

type Declarations = typeof DECLARATIONS
export type OperationKind = keyof Declarations
/** The actions that start an operation. */
export type OperationAction = { [K in OperationKind]: keyof Declarations[K]['actions'] & string }[OperationKind]

/** Each kind of operation, declared once. A right in `additionalRights` that no action declares does not compile. */
export const OPERATION_KINDS: {
  readonly [K in OperationKind]: OperationKindDeclaration<
    Declarations[K]['parameters'],
    keyof Declarations[K]['actions'] & OperationAction,
    OperationAction
  >
} = DECLARATIONS

export const OperationKind = z.enum(Object.keys(DECLARATIONS) as [OperationKind, ...OperationKind[]])

/** False: the operation runs alongside one that writes the table. */
export const writesTable = (operation: {
  readonly kind: OperationKind
  readonly parameters: Readonly<Record<string, unknown>>
}): boolean => OPERATION_KINDS[operation.kind].writesTable(operation.parameters)

/** Such as “Backfill 12”. */
export const operationName = ({ kind, id }: { readonly kind: OperationKind; readonly id: number | bigint }): string =>
  `${OPERATION_KINDS[kind].noun} ${id}`

/** What an operation does, in a few words: “Backfill”, “Flag on for 10%”, “Rollback of the data”. */
export function operationTitle(operation: {
  readonly kind: OperationKind
  readonly parameters: Readonly<Record<string, unknown>>
}): string {
  const { kind, parameters } = operation
  switch (kind) {
    case 'flag': {
      if (parameters['enabled'] !== true) return 'Flag off'
      if (parameters['ramp'] === true) return 'Flag ramp'
      const percentage = Number(parameters['percentage'] ?? 100)
      return percentage >= 100 ? 'Flag on' : `Flag on for ${percentage}%`
    }
    case 'monitoring':
      return `Enhanced monitoring ${parameters['enabled'] === false ? 'off' : 'on'}`
    case 'rollback':
      return `Rollback of the ${typeof parameters['scope'] === 'string' ? parameters['scope'] : 'data'}`
    default:
      return OPERATION_KINDS[kind].noun
  }
}
