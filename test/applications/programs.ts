import type { Language } from './languages.ts'

/** The kinds of vehicles, whatever the application calls their types. */
export type Kind = 'truck' | 'bike' | 'car'

/** A row by its key, as an application knows it. */
export type KnownRow = readonly [id: string, kind: Kind, name: string]

/** An application of test/applications, and the discriminator that its ORM maps. */
export interface ApplicationProgram {
  readonly name: string
  readonly language: Language
  /** The file or class, and its arguments. */
  readonly start: readonly [string, ...string[]]
  readonly column: string
  readonly dataType: string
  readonly types: Readonly<Record<Kind, string>>
  /** Its ORM reads the columns of a table once, so that its processes must start again after `expand`. */
  readonly keepsColumns?: boolean
  /** Runs in every test run; the others with STI_APPLICATIONS=all. */
  readonly always: boolean
}

/** STI_APPLICATIONS=all runs every program, with more requests. */
export const RUNS_ALL_PROGRAMS = process.env['STI_APPLICATIONS'] === 'all'

const NAMES = { truck: 'Truck', bike: 'Bike', car: 'Car' }

export const PROGRAMS: readonly ApplicationProgram[] = [
  {
    name: 'SQLAlchemy with psycopg',
    language: 'Python',
    start: ['sqlalchemy_application.py', 'psycopg'],
    column: 'type',
    dataType: 'text',
    types: { ...NAMES, truck: 'Admin::Truck' },
    always: true,
  },
  {
    name: 'SQLAlchemy with asyncpg',
    language: 'Python',
    start: ['sqlalchemy_application.py', 'asyncpg'],
    column: 'type',
    dataType: 'vehicle_type',
    types: NAMES,
    always: false,
  },
  {
    name: 'Django with psycopg',
    language: 'Python',
    start: ['django_application.py'],
    column: 'type',
    dataType: 'smallint',
    types: { truck: '1', bike: '2', car: '3' },
    always: false,
  },
  {
    name: 'TypeORM with pg',
    language: 'Node.js',
    start: ['typeorm.js'],
    column: 'type',
    dataType: 'varchar(31)',
    types: NAMES,
    always: true,
  },
  {
    name: 'MikroORM with pg',
    language: 'Node.js',
    start: ['mikro-orm.js'],
    column: 'type',
    dataType: 'text',
    types: { truck: 'truck', bike: 'bike', car: 'car' },
    always: false,
  },
  {
    name: 'Hibernate with pgjdbc',
    language: 'Java',
    start: ['Application'],
    column: '"DTYPE"',
    dataType: 'varchar(31)',
    types: NAMES,
    always: false,
  },
  {
    name: 'Rails with pg',
    language: 'Ruby',
    start: ['rails_application.rb'],
    column: 'type',
    dataType: 'varchar',
    types: { ...NAMES, truck: 'Admin::Truck' },
    keepsColumns: true,
    always: false,
  },
]

/** The rollout file: two legacy columns with constant defaults, three types. */
export function rolloutFile({ column, dataType, types }: ApplicationProgram): string {
  return JSON.stringify({
    rollout: 'vehicles',
    table: 'public.vehicles',
    discriminator: { column, dataType },
    types: [
      { name: types.truck, when: 'is_truck', restore: { is_truck: true, category: null } },
      { name: types.bike, when: "category = 'bike'", restore: { is_truck: false, category: "'bike'" } },
    ],
    otherwise: { name: types.car, restore: { is_truck: false, category: null } },
    legacyColumns: ['is_truck', 'category'],
    flag: { key: 'vehicles-sti' },
    validation: { requires: ['integrity'] },
    soak: '3s',
  })
}
