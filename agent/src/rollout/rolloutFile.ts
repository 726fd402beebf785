import { z } from 'zod'
import { LIMIT_SCHEMAS, SignalLimits } from '../contract/limits.ts'
import { REHEARSAL_SAMPLE_BOUNDS } from '../contract/parameters.ts'
import { parseConstant, parseExpression } from './expression.ts'
import { parseDataType, parseName } from './identifiers.ts'
import { compileLabelPattern } from './labelPattern.ts'
import { parseQuery } from './parseQuery.ts'
import { DurationSchema, patternField, sqlField, strictObject, textField, HttpUrlSchema } from './schemaFields.ts'
import { TableSelectionSchema } from './tableSelection.ts'

const ExpressionSchema = sqlField(parseExpression)
const ColumnNameSchema = sqlField(parseName)

/** A constant as SQL. YAML's true, 3 and null are used as they are; a text is SQL, so 'x' needs its quotes. */
const ConstantSchema = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((value) => String(value))
  .pipe(sqlField(parseConstant))
  .describe('a constant as SQL')

// The constant is last: its fault is the one that is shown for a text.
const RestoreValueSchema = z.union([
  z.literal('keep').describe('the column keeps the value that the row has'),
  strictObject({
    sql: ExpressionSchema.describe('immutable SQL expression over the legacy and permanent columns of the row'),
  }),
  ConstantSchema,
])
/**
 * The value of one legacy column when new code writes a type, as in the file: a text is `keep` or a constant as SQL, which
 * can never be the name `keep`.
 */
export type RestoreEntry = z.output<typeof RestoreValueSchema>

const RestoreSchema = z
  .union([
    z.literal('none').describe('types that new code writes are not written back to the legacy columns'),
    z.record(z.string(), RestoreValueSchema),
  ])
  .describe('values of the legacy columns when new code writes this type: by column, a constant, keep, or { sql }')

/** In the discriminator, NULL means that no type was derived yet, or that no type matches. */
const NULL_NAME_FAULT =
  'is NULL or empty. A row without a type is one that no type matches, so the base class needs a name: that of the base class, or of a subclass for these rows, which the ORM then has to store and know (docs/rollout-file.md, "A base class without a type").'

const TypeNameSchema = textField(200, NULL_NAME_FAULT)
  .refine((name) => name === '' || !/^(null)?$/i.test(name.trim()), NULL_NAME_FAULT)
  .describe('value of the discriminator')

export const RolloutTypeSchema = strictObject({
  name: TypeNameSchema,
  when: ExpressionSchema.describe(
    'SQL expression over legacyColumns and permanentColumns; the first type whose expression is true wins',
  ),
  restore: RestoreSchema.optional(),
})

const OtherwiseSchema = strictObject({ name: TypeNameSchema, restore: RestoreSchema.optional() })

const ErrorSeriesSchema = z
  .record(
    z.string(),
    z
      .string()
      .refine(
        isRegularExpression,
        'is not a regular expression of RE2, which Prometheus uses. Write one such as "5..".',
      ),
  )
  .describe('series that count as errors: label, and a regular expression that matches its whole value')

const HistogramSchema = strictObject({
  url: HttpUrlSchema.describe("the application's metrics endpoint"),
  name: z
    .string()
    .regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, 'is not a metric name. Write one such as http_request_duration_seconds.')
    .describe('histogram in seconds, without _bucket, _sum or _count'),
  errors: ErrorSeriesSchema.default({}),
  variant: z
    .string()
    .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'is not a label name. Write one such as feature_flag_result_variant.')
    .default('feature_flag_result_variant')
    .describe('label with the variant of the flag that the request used: on or off'),
})

const ApiPromqlSchema = strictObject({
  latencyAverage: textField(),
  latencyP95: textField(),
  errorRatio: textField(),
  requestRate: textField(),
  requests: textField()
    .refine((query) => query.includes('$variant'), 'must contain $variant, which the agent replaces by on and off')
    .optional()
    .describe('the series of a histogram of requests by $variant, on or off, with their names and instances'),
  errors: ErrorSeriesSchema.optional(),
})

const HostPromqlSchema = strictObject({
  cpu: textField(),
  memory: textField(),
  disk: textField(),
  diskOperations: textField(),
  network: textField(),
})

const SignalSchema = strictObject({
  name: patternField(/^[a-z][a-z0-9-]{0,62}$/, 'queue-depth'),
  promql: textField().optional(),
  sql: sqlField(parseQuery).optional().describe('one SELECT of one number'),
  limit: z.number().describe('maximum value'),
}).refine((signal) => (signal.promql === undefined) !== (signal.sql === undefined), 'needs either promql or sql')

const HttpCheckSchema = strictObject({
  url: HttpUrlSchema,
  status: z.number().int().min(100).max(599).default(200),
  sameWithFlag: z.boolean().default(false).describe('the response must be the same with the flag on and off'),
})

const BusinessCheckSchema = strictObject({
  name: patternField(/^[a-z][a-z0-9-]{0,62}$/, 'trucks-have-axles'),
  violations: sqlField(parseQuery).optional().describe('one SELECT; every row it returns is a violation'),
  request: HttpCheckSchema.optional().describe('GET request to the application'),
}).refine(
  (check) => (check.violations === undefined) !== (check.request === undefined),
  'needs either violations or request',
)

const ContactSchema = strictObject({
  role: textField(100),
  name: textField(200),
  phone: textField(50).optional(),
  email: z.email('is not an email address. Write one such as dba@example.com.').optional(),
  escalateAfter: DurationSchema,
}).refine((contact) => contact.phone !== undefined || contact.email !== undefined, 'needs a phone or an email')

const RampSchema = z
  .array(z.number().positive('must be above 0').max(100, 'must be at most 100'))
  .min(1)
  .refine(
    (steps) => steps.at(-1) === 100 && steps.every((step, i) => i === 0 || step > steps[i - 1]!),
    'must increase and end with 100, such as [1, 10, 50, 100]',
  )

const VALIDATION_LAYERS = ['integrity', 'performance', 'system', 'business'] as const
const ROLLBACK_SCOPES = ['flag', 'data', 'system', 'monitoring'] as const

const ThrottleSchema = strictObject({ ...LIMIT_SCHEMAS, signals: SignalLimits }).partial()

/** Finds the WAL archive, if PostgreSQL has one. */
export const DEFAULT_BACKUP_QUERY = 'select last_archived_time from pg_stat_archiver'

export const RolloutSchema = strictObject({
  rollout: patternField(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'vehicles').describe(
    'name of the rollout, unique among the files of an agent',
  ),
  table: TableSelectionSchema,
  discriminator: strictObject({
    column: ColumnNameSchema.default('type'),
    dataType: sqlField(parseDataType).default('text'),
  }).prefault({}),
  types: z.array(RolloutTypeSchema).min(1, 'needs at least one type'),
  otherwise: OtherwiseSchema.optional().describe(
    'type of rows that match no other type; without it such rows are failed rows',
  ),
  restore: z
    .literal('none')
    .optional()
    .describe('types that new code writes are not written back to the legacy columns'),
  acceptLostWrites: z
    .boolean()
    .default(false)
    .describe('with restore: none, accept that turning the flag off loses these writes; required to turn the flag on'),
  legacyColumns: z.array(ColumnNameSchema).min(1, 'needs at least one column'),
  permanentColumns: z
    .array(ColumnNameSchema)
    .default([])
    .describe('columns that an expression reads and that stay: never restored, archived or dropped'),
  dualWrite: z.enum(['trigger', 'application']).default('trigger'),
  prefill: z
    .enum(['none', 'majority'])
    .default('none')
    .describe(
      'majority: existing rows immediately read as the most common type; some are wrong until the backfill has ended',
    ),
  triggers: z
    .record(z.string(), z.enum(['harmless', 'skips']))
    .default({})
    .describe(
      'the application’s own UPDATE triggers and rules; skips: does nothing while the setting sti.engine is on',
    ),
  publication: z.enum(['none', 'subscriber-ready']).default('none'),
  constraint: z.enum(['check', 'notNull']).default('check'),
  conflicts: z.enum(['refuse', 'legacy', 'type']).default('refuse'),
  errorBudget: z.number().min(0).max(1).default(0.001).describe('failed rows / all rows'),
  flag: strictObject({
    key: patternField(/^[A-Za-z0-9._-]{1,100}$/, 'vehicles-sti'),
    ramp: RampSchema.default([1, 10, 50, 100]).describe('percentages'),
    hold: DurationSchema.prefault('10m').describe('how long each step is watched at least'),
    maximumHold: DurationSchema.optional().describe(
      'how long a step is watched at most, if it has too few requests to tell new code from old; default: three times hold',
    ),
    holdback: z
      .number()
      .min(0)
      .max(50, 'must be at most 50')
      .default(0)
      .describe('percentage of targeting keys that keeps using legacy columns until soaking has ended'),
    longestRequest: DurationSchema.prefault('30s').describe(
      'how long a request of the application lasts at most: until then it may act on an earlier evaluation',
    ),
  }),
  api: strictObject({ histogram: HistogramSchema.optional(), promql: ApiPromqlSchema.optional() })
    .refine((api) => (api.histogram === undefined) !== (api.promql === undefined), 'needs either histogram or promql')
    .optional()
    .describe('source of the application’s latency, errors and throughput'),
  host: z.union([z.literal('local'), strictObject({ promql: HostPromqlSchema })]).default('local'),
  signals: z.array(SignalSchema).default([]),
  limits: strictObject({
    apiLatencyIncrease: z.number().positive().default(0.1),
    controlLatencyIncrease: z
      .number()
      .positive()
      .optional()
      .describe('against the control group, which noise does not affect; default: apiLatencyIncrease'),
    queryTimeIncrease: z.number().positive().default(0.05),
    resourceUsage: z.number().positive().max(1).default(0.8),
    errorRatio: z.number().min(0).max(1).default(0.001),
  }).prefault({}),
  throttle: ThrottleSchema.default({}).describe(
    'limits above which a backfill rests, waits or stops, instead of the defaults',
  ),
  validation: strictObject({
    every: DurationSchema.prefault('1h'),
    requires: z
      .array(z.enum(VALIDATION_LAYERS))
      .default([...VALIDATION_LAYERS])
      .describe(
        'layers that must pass before the flag can be turned on; finalize needs integrity, and business if listed',
      ),
  }).prefault({}),
  promotion: strictObject({
    from: textField(100).describe('environment that must have passed first'),
    maxAge: DurationSchema.prefault('7d'),
    backfillToo: z.boolean().default(false),
  }).optional(),
  rehearsal: strictObject({
    every: DurationSchema.prefault('7d'),
    sample: z
      .number()
      .int()
      .min(REHEARSAL_SAMPLE_BOUNDS.minimum)
      .max(REHEARSAL_SAMPLE_BOUNDS.maximum)
      .default(100_000)
      .describe('rows'),
  }).prefault({}),
  soak: DurationSchema.prefault('7d').describe(
    'time at 100% before the column drop, and without conflicts before finalize',
  ),
  migration: strictObject({
    template: z.enum(['node-pg-migrate', 'plain']).default('node-pg-migrate'),
    path: textField(500)
      .refine(
        isMigrationPath,
        'must be a path inside the repository with {name}, and no other placeholder than {timestamp}',
      )
      .default('migrations/{timestamp}_{name}.sql'),
  }).prefault({}),
  checks: z.array(BusinessCheckSchema).default([]),
  backup: strictObject({
    maxAge: DurationSchema.prefault('24h'),
    query: sqlField(parseQuery).default(DEFAULT_BACKUP_QUERY),
  }).prefault({}),
  contacts: z.array(ContactSchema).default([]).describe('in the order of escalation'),
  automaticRollback: z
    .array(z.enum(ROLLBACK_SCOPES))
    .optional()
    .describe('scopes that may be rolled back automatically; default: [flag], or [] with restore: none'),
})

/** A rollout file of one table with its defaults. Durations are in seconds; SQL is as in the file. */
export interface RolloutFile extends Omit<z.output<typeof RolloutSchema>, 'automaticRollback' | 'table'> {
  readonly table: string
  readonly automaticRollback: readonly (typeof ROLLBACK_SCOPES)[number][]
}

/** True if turning the flag off loses what new code wrote of some type: `restore: none`, of the file or of one type. */
export function losesWrites(file: {
  readonly restore?: 'none' | undefined
  readonly types: readonly { readonly restore?: unknown }[]
  readonly otherwise?: { readonly restore?: unknown } | undefined
}): boolean {
  return [file, ...file.types, file.otherwise].some((part) => part?.restore === 'none')
}

function isRegularExpression(pattern: string): boolean {
  try {
    return Boolean(compileLabelPattern(pattern))
  } catch {
    return false
  }
}

function isMigrationPath(path: string): boolean {
  const plain = path.replace('{timestamp}', '').replace('{name}', '')
  return path.includes('{name}') && !/[{}\\]|^\/|(^|\/)\.\.(\/|$)/.test(plain)
}
