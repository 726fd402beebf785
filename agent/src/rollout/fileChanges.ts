import { canonicalHash } from '../signature/canonicalJson.ts'
import { derivationOf } from './derivation.ts'
import type { RolloutFile } from './rolloutFile.ts'

/** A rollout file as it is stored to compare versions: phone numbers and email addresses are hashed. */
export type StoredFile = Readonly<Record<string, unknown>>

/** One value that differs between two versions of a file. */
export interface FileChange {
  /** Such as `limits.errorRatio` or `contacts[0].phone`. */
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

export function toStoredFile(file: RolloutFile): StoredFile {
  const conceal = (text: string | undefined): string | undefined => text && canonicalHash(text).slice(0, 12)
  const contacts = file.contacts.map((contact) => ({
    ...contact,
    phone: conceal(contact.phone),
    email: conceal(contact.email),
  }))
  return JSON.parse(JSON.stringify({ ...file, ...derivationOf(file), contacts })) as StoredFile
}

/** The values that differ. A list whose length changed counts as one value. */
export function compareFiles(before: StoredFile, after: StoredFile): FileChange[] {
  return compareValues(before, after, '')
}

function compareValues(before: unknown, after: unknown, path: string): FileChange[] {
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return after.flatMap((value, index) => compareValues(before[index], value, `${path}[${index}]`))
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return keys.flatMap((key) => compareValues(before[key], after[key], path === '' ? key : `${path}.${key}`))
  }
  const same = canonicalHash(before ?? null) === canonicalHash(after ?? null)
  return same ? [] : [{ path, before: before ?? null, after: after ?? null }]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
