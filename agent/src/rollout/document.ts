import { LineCounter, isMap, isNode, isPair, isScalar, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'

export type Path = readonly PropertyKey[]

/** A YAML file with the place of each of its values. */
export interface YamlFile {
  readonly value: unknown
  /** Faults of YAML itself, as lines `file:line:column message`. */
  readonly faults: readonly string[]
  /** `file:line:column` of the value at a path, or of what stands nearest above it. */
  place(path: Path): string
  /** The same for a key of the map at a path. */
  placeOfKey(path: Path, key: string): string
}

/** Reads YAML 1.2. No tags, no merge keys, few aliases. */
export function readYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const faults = [...document.errors, ...document.warnings].map(
    (error) => `${at(error.pos[0])} ${sentence(error.code, error.message)}`,
  )
  const { value, fault } = faults.length === 0 ? plain(document) : { value: undefined, fault: undefined }
  return {
    value,
    faults: fault === undefined ? faults : [`${file}:1:1 ${fault}`],
    place: (path) => at(offsetOf(document, path)),
    placeOfKey: (path, key) => at(offsetOfKey(document, path, key) ?? offsetOf(document, path)),
  }
}

function plain(document: Document): { value: unknown; fault?: string } {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) as unknown }
  } catch (error) {
    return {
      value: undefined,
      fault: `is not YAML that can be read: ${error instanceof Error ? error.message : String(error)}`,
    }
  }
}

function sentence(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key stands here twice: remove one'
  if (code === 'MULTIPLE_DOCS') return 'one file holds one rollout: move what follows --- to a file of its own'
  // The library quotes what it met, which may be a whole line of a file that is no text.
  return `is not YAML: ${message.length > 200 ? `${message.slice(0, 200)}…` : message}`
}

function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}

function offsetOfKey(document: Document, path: Path, key: string): number | undefined {
  const map: unknown = path.length === 0 ? document.contents : document.getIn(path, true)
  const pair = isMap(map)
    ? map.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
    : undefined
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined
}

/** What zod found, one line each, with its place in the file. */
export function faultLines(file: YamlFile, issues: readonly z.core.$ZodIssue[], base: Path = []): string[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path]
    if (issue.code === 'unrecognized_keys') {
      const messages = issue.message.split('\n')
      return issue.keys.map((key, i) => `${file.placeOfKey(path, key)} ${messages[i]}`)
    }
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      // A union that speaks for itself does, unless one of its branches got into the value.
      const own = !issue.message.startsWith('Invalid input') && issue.errors.every(atRoot)
      if (!own) return faultLines(file, nearestBranch(issue.errors), path)
    }
    return [`${file.place(path)} ${name(path)} ${describe(issue)}`]
  })
}

/** Of a union's branches the one that got furthest into the value: its faults are what the author wants to read. */
function nearestBranch(branches: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] {
  return branches.find((issues) => !atRoot(issues)) ?? branches.at(-1)!
}

function atRoot(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.some((issue) => issue.path.length === 0 && issue.code !== 'unrecognized_keys')
}

export function name(path: Path): string {
  return path.length === 0
    ? 'the file'
    : path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`)).join('')
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    if (!issue.message.startsWith('Invalid input')) return issue.message
    return issue.message.endsWith('received undefined')
      ? `is missing: write it`
      : `must be ${KINDS[issue.expected] ?? issue.expected}`
  }
  if (issue.code === 'invalid_value') return `must be ${issue.values.map((value) => `"${String(value)}"`).join(' or ')}`
  if (issue.code === 'too_small' && issue.message.startsWith('Too small')) return `must be at least ${issue.minimum}`
  if (issue.code === 'too_big' && issue.message.startsWith('Too big')) return `must be at most ${issue.maximum}`
  return issue.message
}

const KINDS: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
  array: 'a list',
}
