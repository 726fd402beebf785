import { stringify } from 'yaml'
import { formatCount } from '../../format/format.ts'
import { writeName } from '../identifiers.ts'
import type { DraftType, DraftTypes } from './chooseTypes.ts'
import type { DraftColumn, DraftInput } from './readDraftInput.ts'

/** The columns besides the derived ones that get a comment in a draft. */
const MAX_OTHER_CANDIDATES = 6

/**
 * The text of a rollout file for a table. What a person must decide is marked `DECIDE`.
 *
 * @param discriminator the name of the new column, as in SQL
 */
export function writeDraft(input: DraftInput, chosen: DraftTypes, discriminator: string): string {
  const name = input.table.name.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'rollout'
  const lines = [
    `# Draft of a rollout file for ${input.table.sql}, based on ${formatCount(input.rows)} ${input.sampled ? 'sampled ' : ''}rows.`,
    '# Lines marked DECIDE need a decision by a person. Check the file with: sti check FILE --database URL',
    '',
    ...grants(input),
    '',
    `rollout: ${scalar(name.slice(0, 63))}`,
    `table: ${scalar(writtenTable(input))}`,
    ...(discriminator === 'type'
      ? []
      : [
          '# DECIDE: the table already has a column "type".',
          `discriminator: ${flow({ column: discriminator, dataType: 'text' })}`,
        ]),
    ...chosen.decisions.map((decision) => `# DECIDE: ${decision}`),
    'types: # the first one whose expression is true wins',
    ...chosen.types.map((type) => `  - ${flow(typeEntry(type))}${count(input, chosen, type)}`),
    `otherwise: ${flow({ name: chosen.otherwise.name, restore: restoreEntry(chosen.otherwise.restore) })}`,
    `legacyColumns: ${flow([...chosen.legacyColumns])}`,
    ...otherCandidates(input, chosen),
    ...triggers(input, chosen),
    ...publications(input),
    `flag: ${flow({ key: `${name.slice(0, 96)}-sti` })}`,
    '# DECIDE: without "api", latency and errors of the application are not checked: an admin accepts that for the layer system',
    '# (sti accept-check error-ratio --all --reason TEXT). With it, add performance here.',
    '# With "checks", add business.',
    'validation: { requires: [integrity, system] }',
    '# DECIDE: who is paged, in the order of escalation.',
    '# contacts: [{ role: Technical Lead, name: NAME, email: NAME@example.com, escalateAfter: 5m }]',
  ]
  return `${lines.join('\n')}\n`
}

function grants({ owner, database, table }: DraftInput): string[] {
  return [
    '# Privileges that the role of the agent needs (here sti_agent):',
    `#   grant ${owner} to sti_agent;`,
    `#   grant create, temporary on database ${database} to sti_agent;`,
    `#   grant usage, create on schema ${writeName(table.schema)} to sti_agent;`,
    '#   grant pg_monitor to sti_agent;',
  ]
}

function typeEntry({ name, when, restore }: DraftType): Record<string, unknown> {
  return { name, when, restore: restoreEntry(restore) }
}

/** YAML's own true, false, null and numbers need no quotes. */
function restoreEntry(restore: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(restore).map(([column, value]) => [
      column,
      /^(true|false|null|-?\d{1,15})$/.test(value) ? JSON.parse(value) : value,
    ]),
  )
}

function count(input: DraftInput, chosen: DraftTypes, type: DraftType): string {
  if (chosen.legacyColumns.length !== 1) return ''
  const column = input.columns.find((candidate) => candidate.written === chosen.legacyColumns[0])
  const value = column?.values?.find(({ literal }) => type.restore[column.written] === literal)
  return value ? ` # ${formatCount(value.count)} rows` : ''
}

function otherCandidates(input: DraftInput, chosen: DraftTypes): string[] {
  const others = input.columns.filter((column) => !chosen.legacyColumns.includes(column.written) && isCandidate(column))
  if (others.length === 0) return []
  const shown = others.slice(0, MAX_OTHER_CANDIDATES).map((column) => column.written)
  const more = others.length - shown.length
  return [
    `# DECIDE: other columns that could decide the type: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`,
    `# For a draft from one of them: --columns ${shown[0]!}`,
  ]
}

const isCandidate = (column: DraftColumn): boolean =>
  column.foreignKey
    ? !column.notNull
    : column.values !== null && (column.baseType === 'bool' || column.values.length <= 12)

function triggers({ updateTriggers, legacyTriggers, columns }: DraftInput, chosen: DraftTypes): string[] {
  const names = columns.filter(({ written }) => chosen.legacyColumns.includes(written)).map(({ name }) => name)
  const ofLegacy = [...new Set(legacyTriggers(names))].filter((written) =>
    updateTriggers.every((trigger) => trigger.written !== written),
  )
  if (updateTriggers.length + ofLegacy.length === 0) return []
  return [
    ...(ofLegacy.length > 0
      ? [
          `# DECIDE: can ${ofLegacy.join(', ')} safely fire in a transaction that a validation rolls back?`,
          '# A write of the type alone does not fire it: see docs/dual-write.md.',
        ]
      : []),
    ...(updateTriggers.some(({ readsEngineSetting }) => !readsEngineSetting)
      ? ['# DECIDE: can the trigger safely fire on every row that the backfill writes? See docs/rollout-file.md.']
      : []),
    `triggers: ${flow(
      Object.fromEntries([
        ...updateTriggers.map(({ written, readsEngineSetting }) => [
          written,
          readsEngineSetting ? 'skips' : 'harmless',
        ]),
        ...ofLegacy.map((written) => [written, 'harmless']),
      ]),
    )}`,
  ]
}

function publications({ publications: names }: DraftInput): string[] {
  if (names.length === 0) return []
  return [
    `# DECIDE: published by ${names.join(', ')}. Replication stops at an unknown column: add it to every subscriber first,`,
    '# and then keep the next line.',
    'publication: subscriber-ready',
  ]
}

const writtenTable = ({ table }: DraftInput): string => `${writeName(table.schema)}.${writeName(table.name)}`

const flow = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', flowCollectionPadding: true, lineWidth: 0 }).trim()

const scalar = (text: string): string => stringify(text, { lineWidth: 0 }).trim()
