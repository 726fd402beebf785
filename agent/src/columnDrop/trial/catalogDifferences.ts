import type { LegacyCatalog } from '../catalog/legacyCatalog.ts'

/** The differences between two readings of the catalog, one sentence each, except for column positions and OIDs. */
export function catalogDifferences(before: LegacyCatalog, after: LegacyCatalog): string[] {
  return [
    ...before.relations.flatMap((relation) => {
      const other = after.relations.find((candidate) => candidate.sql === relation.sql)
      return relation.columns.flatMap((column) => {
        const now = other?.columns.find((candidate) => candidate.name === column.name)
        if (now === undefined) return [`column ${column.name} of ${relation.sql} does not exist`]
        return fieldDifferences(
          { ...column, position: 0 },
          { ...now, position: 0 },
          `column ${column.name} of ${relation.sql}`,
        )
      })
    }),
    ...objectDifferences('constraint', before.constraints, after.constraints),
    ...objectDifferences('index', before.indexes, after.indexes),
    ...objectDifferences('statistics object', before.statistics, after.statistics),
  ]
}

interface NamedObject {
  readonly name: string
  readonly on: string
}

function objectDifferences(kind: string, before: readonly NamedObject[], after: readonly NamedObject[]): string[] {
  const key = ({ name, on }: NamedObject): string => `${kind} ${name} on ${on}`
  const now = new Map(after.map((object) => [key(object), object]))
  return [
    ...before.flatMap((object) => {
      const other = now.get(key(object))
      return other === undefined ? [`${key(object)} does not exist`] : fieldDifferences(object, other, key(object))
    }),
    ...after
      .filter((object) => !before.some((other) => key(other) === key(object)))
      .map((object) => `${key(object)} is new`),
  ]
}

function fieldDifferences(before: object, after: object, what: string): string[] {
  const now = new Map(Object.entries(after))
  return Object.entries(before)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(now.get(name)))
    .map(([name, value]) => `${what}: ${name} was ${JSON.stringify(value)} and is ${JSON.stringify(now.get(name))}`)
}
