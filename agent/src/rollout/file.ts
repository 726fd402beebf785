import { z } from 'zod'
import { LIMITS, SignalLimits } from '../contract/limits.ts'
import { parseConstant, parseExpression } from './expression.ts'
import { parseDataType, parseName, parseTableName } from './names.ts'
import { parseQuery } from './query.ts'
import { Duration, name, sqlText, strict, text, webAddress } from './field.ts'

const Expression = sqlText(parseExpression)
const ColumnName = sqlText(parseName)

/** A constant as SQL. YAML's own true, 3 and null mean those of SQL; every other text is SQL, so 'x' needs its quotes. */
const Constant = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((value) => String(value))
  .pipe(sqlText(parseConstant))

const Restore = z
  .record(z.string(), Constant)
  .describe('what the legacy columns are to be when new code writes this type: column, and a constant as SQL')

const TypeName = text(200).describe('the value of the discriminator')

export const TypeOfFile = strict({
  name: TypeName,
  when: Expression.describe('an SQL expression over legacyColumns; the first type whose expression is true wins'),
  restore: Restore.optional(),
})

const Otherwise = strict({ name: TypeName, restore: Restore.optional() })

const Histogram = strict({
  url: webAddress.describe("the application's own metrics page"),
  name: z
    .string()
    .regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, 'is not the name of a metric: write one such as http_request_duration_seconds')
    .describe('a histogram in seconds, without _bucket, _sum or _count'),
  errors: z
    .record(z.string(), z.string().refine(isPattern, 'is not a regular expression: write one such as "5.."'))
    .default({})
    .describe('which series count as errors: label, and a regular expression that its whole value matches'),
})

const ApiPromql = strict({ latencyAverage: text(), latencyP95: text(), errorRatio: text(), requestRate: text() })

const HostPromql = strict({ cpu: text(), memory: text(), disk: text(), diskOperations: text(), network: text() })

const Signal = strict({
  name: name(/^[a-z][a-z0-9-]{0,62}$/, 'queue-depth'),
  promql: text().optional(),
  sql: sqlText(parseQuery).optional().describe('one SELECT of one number'),
  limit: z.number().describe('the value it may reach'),
}).refine((signal) => (signal.promql === undefined) !== (signal.sql === undefined), 'needs promql or sql, and not both')

const Request = strict({
  url: webAddress,
  status: z.number().int().min(100).max(599).default(200),
  sameWithFlag: z.boolean().default(false).describe('the answer must be the same with the flag on and off'),
})

const Check = strict({
  name: name(/^[a-z][a-z0-9-]{0,62}$/, 'trucks-have-axles'),
  violations: sqlText(parseQuery).optional().describe('one SELECT; every row it returns is a violation'),
  request: Request.optional().describe('a GET of the application'),
}).refine(
  (check) => (check.violations === undefined) !== (check.request === undefined),
  'needs violations or request, and not both',
)

const Contact = strict({
  role: text(100),
  name: text(200),
  phone: text(50).optional(),
  email: z.email('is not an e-mail address: write one such as dba@example.com').optional(),
  escalateAfter: Duration,
}).refine((contact) => contact.phone !== undefined || contact.email !== undefined, 'needs a phone or an email')

const ramp = z
  .array(z.number().positive('must be above 0').max(100, 'must be at most 100'))
  .min(1)
  .refine(
    (steps) => steps.at(-1) === 100 && steps.every((step, i) => i === 0 || step > steps[i - 1]!),
    'must rise from step to step and end with 100, such as [1, 10, 50, 100]',
  )

const LAYERS = ['integrity', 'performance', 'system', 'business'] as const
const SCOPES = ['flag', 'data', 'system', 'monitoring'] as const

const Throttle = strict({ ...LIMITS, signals: SignalLimits }).partial()

export const RolloutSchema = strict({
  rollout: name(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'vehicles').describe(
    'its name, unique among the files of an agent',
  ),
  table: sqlText(parseTableName).describe('as in SQL; without a schema it is in public'),
  discriminator: strict({
    column: ColumnName.default('type'),
    dataType: sqlText(parseDataType).default('text'),
  }).prefault({}),
  types: z.array(TypeOfFile).min(1, 'needs at least one type'),
  otherwise: Otherwise.optional().describe(
    'the type of a row that no other matches; without it such rows are failed rows',
  ),
  restore: z
    .literal('none')
    .optional()
    .describe('new code’s writes of the type are not carried back to legacy columns'),
  acceptLostWrites: z
    .boolean()
    .default(false)
    .describe('with restore: none, accepts that turning the flag off loses them; until then it cannot be turned on'),
  legacyColumns: z.array(ColumnName).min(1, 'needs at least one column'),
  dualWrite: z.enum(['trigger', 'application']).default('trigger'),
  prefill: z
    .enum(['none', 'majority'])
    .default('none')
    .describe(
      'majority: rows that exist read as the commonest type at once; until the backfill has ended some are wrong',
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
  flag: strict({
    key: name(/^[A-Za-z0-9._-]{1,100}$/, 'vehicles-sti'),
    ramp: ramp.default([1, 10, 50, 100]).describe('percentages'),
    hold: Duration.prefault('10m').describe('how long each step is watched'),
  }),
  api: strict({ histogram: Histogram.optional(), promql: ApiPromql.optional() })
    .refine(
      (api) => (api.histogram === undefined) !== (api.promql === undefined),
      'needs histogram or promql, and not both',
    )
    .optional()
    .describe('where latency, errors and throughput of the application are read'),
  host: z.union([z.literal('local'), strict({ promql: HostPromql })]).default('local'),
  signals: z.array(Signal).default([]),
  limits: strict({
    apiLatencyIncrease: z.number().positive().default(0.1),
    queryTimeIncrease: z.number().positive().default(0.05),
    resourceUsage: z.number().positive().max(1).default(0.8),
    errorRatio: z.number().min(0).max(1).default(0.001),
  }).prefault({}),
  throttle: Throttle.default({}).describe(
    'above which limits a backfill rests, waits or stops, instead of the defaults',
  ),
  validation: strict({
    every: Duration.prefault('1h'),
    requires: z
      .array(z.enum(LAYERS))
      .default([...LAYERS])
      .describe('the layers that enabling the flag needs'),
  }).prefault({}),
  promotion: strict({
    from: text(100).describe('the environment that must have passed first'),
    maxAge: Duration.prefault('7d'),
    backfillToo: z.boolean().default(false),
  }).optional(),
  rehearsal: strict({
    every: Duration.prefault('7d'),
    sample: z.number().int().min(1).max(10_000_000).default(100_000).describe('rows'),
  }).prefault({}),
  soak: Duration.prefault('7d').describe('at 100 % before the column drop'),
  migration: strict({
    template: z.enum(['node-pg-migrate', 'plain']).default('node-pg-migrate'),
    path: text(500)
      .refine(isMigrationPath, 'must be a path inside the repository, with {name} and no other braces but {timestamp}')
      .default('migrations/{timestamp}_{name}.sql'),
  }).prefault({}),
  checks: z.array(Check).default([]),
  backup: strict({
    maxAge: Duration.prefault('24h'),
    query: sqlText(parseQuery).default('select last_archived_time from pg_stat_archiver'),
  }).prefault({}),
  contacts: z.array(Contact).default([]).describe('in the order of escalation'),
  automaticRollback: z
    .array(z.enum(SCOPES))
    .optional()
    .describe('scopes that may start without a person; default [flag], with restore: none []'),
})

/** A rollout file with its defaults. Durations are seconds; SQL is as the file wrote it. */
export interface RolloutFile extends Omit<z.output<typeof RolloutSchema>, 'automaticRollback'> {
  readonly automaticRollback: readonly (typeof SCOPES)[number][]
}

function isPattern(pattern: string): boolean {
  try {
    return Boolean(new RegExp(`^(?:${pattern})$`))
  } catch {
    return false
  }
}

function isMigrationPath(path: string): boolean {
  const plain = path.replace('{timestamp}', '').replace('{name}', '')
  return path.includes('{name}') && !/[{}\\]|^\/|(^|\/)\.\.(\/|$)/.test(plain)
}
