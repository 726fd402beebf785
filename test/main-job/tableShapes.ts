/** A table shape for the whole rollout. The columns is_a and is_b determine the type of its rows. */
export interface JobTableShape {
  readonly name: string
  /** Creates the table `table` with about 300 rows. */
  readonly create: string
  readonly table: string
  /** The ORDER BY of the comparison. */
  readonly key: string
  /** Lines of the rollout file that differ from the default. */
  readonly file?: string
  readonly column?: string
  readonly dataType?: string
  /** The expected type, as SQL on the row. */
  readonly expected?: string
  /** Rows that no type matches, which an admin accepts. */
  readonly unmapped?: number
  /** True if the column existed before, so that the data rollback clears it. */
  readonly before?: boolean
}

const FLAG_COLUMNS_SQL = 'is_a boolean not null, is_b boolean not null'
const FLAG_VALUES_SQL = 'n % 3 = 0, n % 3 = 1'
const plainTable = (id: string, value: string, more = ''): string => `
  create table app.things (${id}, ${FLAG_COLUMNS_SQL}${more});
  insert into app.things (id, is_a, is_b) select ${value}, ${FLAG_VALUES_SQL} from generate_series(1, 300) n`

const PLAIN_TABLE = { table: 'app.things', key: 'id' }

export const JOB_TABLE_SHAPES: readonly JobTableShape[] = [
  { ...PLAIN_TABLE, name: 'text key', create: plainTable('id text primary key', `'k ''"\\ ' || n`) },
  {
    ...PLAIN_TABLE,
    name: 'text key in another collation',
    create: plainTable(
      'id text collate "en-x-icu" primary key',
      `chr(96 + n % 26) || case n % 2 when 0 then upper(n::text || 'x') else n::text end`,
    ),
  },
  { ...PLAIN_TABLE, name: 'uuid key', create: plainTable('id uuid primary key', 'gen_random_uuid()') },
  {
    ...PLAIN_TABLE,
    name: 'timestamp key',
    create: plainTable('id timestamptz primary key', `timestamptz '2024-03-31 00:30+01' + n * interval '61.000007 s'`),
  },
  {
    ...PLAIN_TABLE,
    name: 'generated always as identity',
    create: `
      create table app.things (id bigint generated always as identity primary key, ${FLAG_COLUMNS_SQL});
      insert into app.things (is_a, is_b) select ${FLAG_VALUES_SQL} from generate_series(1, 300) n`,
  },
  {
    name: 'composite key with an enum',
    table: 'app.things',
    key: 'region, id, day',
    create: `
      create type app.region as enum ('west', 'east');
      create table app.things (region app.region, id int, day date, ${FLAG_COLUMNS_SQL}, primary key (region, id, day));
      insert into app.things select case n % 2 when 0 then 'west' else 'east' end::app.region, n / 4, date '2024-01-01' + n % 4, ${FLAG_VALUES_SQL}
        from generate_series(1, 300) n`,
  },
  {
    name: 'no primary key, a unique index',
    table: 'app.things',
    key: 'id',
    create: `${plainTable('id int not null', 'n')}; create unique index on app.things (id)`,
  },
  {
    name: 'quoted names in another schema',
    table: `'"My Schema"."Big Things"'`,
    key: '"Row Id"',
    column: `'"Kind Of"'`,
    file: `types:
  - { name: "It's A", when: '"Is A"', restore: { '"Is A"': "true", '"Is B"': "false" } }
  - { name: B, when: '"Is B"', restore: { '"Is A"': "false", '"Is B"': "true" } }
otherwise: { name: Other, restore: { '"Is A"': "false", '"Is B"': "false" } }
legacyColumns: ['"Is A"', '"Is B"']
`,
    expected: `case when "Is A" then 'It''s A' when "Is B" then 'B' else 'Other' end`,
    create: `
      create schema "My Schema";
      create table "My Schema"."Big Things" ("Row Id" int primary key, "Is A" boolean not null, "Is B" boolean not null);
      insert into "My Schema"."Big Things" select n, ${FLAG_VALUES_SQL} from generate_series(1, 300) n`,
  },
  {
    name: 'partitioned on two levels',
    table: 'app.things',
    key: 'id, day',
    create: `
      create schema "Parts";
      create table app.things (id int, day date, ${FLAG_COLUMNS_SQL}, primary key (id, day)) partition by range (day);
      create table app.things_1 partition of app.things for values from ('2024-01-01') to ('2024-02-01');
      create table "Parts"."Second One" partition of app.things for values from ('2024-02-01') to ('2024-03-01') partition by hash (id);
      create table "Parts"."Leaf 0" partition of "Parts"."Second One" for values with (modulus 2, remainder 0);
      create table "Parts"."Leaf 1" partition of "Parts"."Second One" for values with (modulus 2, remainder 1);
      create table app.things_rest partition of app.things default;
      insert into app.things select n, date '2024-01-01' + n % 70, ${FLAG_VALUES_SQL} from generate_series(1, 300) n`,
  },
  {
    ...PLAIN_TABLE,
    name: 'enum discriminator',
    dataType: 'app.kind',
    create: `create type app.kind as enum ('B', 'Other', 'A'); ${plainTable('id int primary key', 'n')}`,
  },
  {
    ...PLAIN_TABLE,
    name: 'unconstrained domain discriminator',
    dataType: `'app."Kind"'`,
    create: `create domain app."Kind" as varchar(20); ${plainTable('id int primary key', 'n')}`,
  },
  {
    ...PLAIN_TABLE,
    name: 'varchar with a length',
    dataType: 'varchar(5)',
    create: plainTable('id int primary key', 'n'),
  },
  {
    ...PLAIN_TABLE,
    name: 'generated columns in the table',
    create: plainTable(
      'id int primary key',
      'n',
      ', stored int generated always as (id * 2) stored, either boolean generated always as (is_a or is_b) stored',
    ),
  },
  {
    ...PLAIN_TABLE,
    name: 'triggers of the application',
    file: `triggers: { touch: skips, audit: skips }\n`,
    create: `${plainTable('id int primary key', 'n', ', touched int not null default 0')};
      create table app.audit (id int, is_a boolean);
      create function app.touch() returns trigger language plpgsql as $$ begin
        if current_setting('sti.engine', true) = 'on' then return new; end if;
        new.touched := new.touched + 1; return new; end $$;
      create function app.audit() returns trigger language plpgsql as $$ begin
        if current_setting('sti.engine', true) is distinct from 'on' then insert into app.audit values (new.id, new.is_a); end if;
        return null; end $$;
      create trigger touch before update on app.things for each row execute function app.touch();
      create trigger audit after insert or update on app.things for each row execute function app.audit()`,
  },
  {
    ...PLAIN_TABLE,
    name: 'an existing empty column',
    before: true,
    create: plainTable('id int primary key', 'n', ', type text'),
  },
  {
    ...PLAIN_TABLE,
    name: 'rows that no type matches',
    unmapped: 100,
    file: `types:
  - { name: A, when: is_a, restore: { is_a: "true", is_b: "false" } }
  - { name: B, when: is_b, restore: { is_a: "false", is_b: "true" } }
legacyColumns: [is_a, is_b]
errorBudget: 1
`,
    expected: `case when is_a then 'A' when is_b then 'B' end`,
    create: plainTable('id int primary key', 'n'),
  },
  {
    ...PLAIN_TABLE,
    name: 'NOT NULL required',
    file: 'constraint: notNull\n',
    create: plainTable('id int primary key', 'n'),
  },
]

const TYPES_FILE_PART = `types:
  - { name: A, when: is_a, restore: { is_a: "true", is_b: "false" } }
  - { name: B, when: is_b, restore: { is_a: "false", is_b: "true" } }
otherwise: { name: Other, restore: { is_a: "false", is_b: "false" } }
legacyColumns: [is_a, is_b]
`

export const EXPECTED_TYPE_SQL = `case when is_a then 'A' when is_b then 'B' else 'Other' end`

export function rolloutFile(shape: JobTableShape): string {
  const own = shape.file ?? ''
  return `rollout: things
table: ${shape.table}
discriminator: { column: ${shape.column ?? 'type'}, dataType: ${shape.dataType ?? 'text'} }
${own.startsWith('types:') ? own : TYPES_FILE_PART + own}flag: { key: things }
validation: { requires: [integrity] }
`
}
