import { LineCounter, isMap, isNode, isPair, isScalar, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { findUnstorableText, UNSTORABLE_TEXT } from '../contract/index.ts'

export type YamlPath = readonly PropertyKey[]

/** A YAML file with the location of each value. */
export interface YamlFile {
  readonly value: unknown
  /** Faults of YAML itself, as lines `file:line:column message`. */
  readonly faults: readonly string[]
  /** `file:line:column` of the value at a path, or of its nearest existing parent. */
  locate(path: YamlPath): string
  /** `file:line:column` of a key of the map at a path. */
  locateKey(path: YamlPath, key: string): string
}

/** Reads YAML 1.2. No tags, no merge keys, few aliases. */
export function readYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  const locationAt = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const faults = [...document.errors, ...document.warnings].map(
    (error) => `${locationAt(error.pos[0])} ${describeYamlError(error.code, error.message)}`,
  )
  const { value, fault } = faults.length === 0 ? toPlainValue(document) : { value: undefined, fault: undefined }
  const unstorable = findUnstorableText(value)
  if (unstorable !== null)
    faults.push(
      `${locationAt(offsetOf(document, unstorable))} ${UNSTORABLE_TEXT.replace('contains', 'a text contains')}.`,
    )
  return {
    value,
    faults: fault === undefined ? faults : [`${file}:1:1 ${fault}`],
    locate: (path) => locationAt(offsetOf(document, path)),
    locateKey: (path, key) => locationAt(offsetOfKey(document, path, key) ?? offsetOf(document, path)),
  }
}

function toPlainValue(document: Document): { value: unknown; fault?: string } {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) as unknown }
  } catch (error) {
    return {
      value: undefined,
      fault: `is not valid YAML: ${error instanceof Error ? error.message : String(error)}`,
    }
  }
}

function describeYamlError(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'duplicate key. Remove one of them.'
  if (code === 'MULTIPLE_DOCS') return 'a file contains one rollout. Move the part after --- to another file.'
  // The library's message may quote a whole line of a binary file.
  return `is not YAML: ${message.length > 200 ? `${message.slice(0, 200)}…` : message}`
}

function offsetOf(document: Document, path: YamlPath): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}

function offsetOfKey(document: Document, path: YamlPath, key: string): number | undefined {
  const map: unknown = path.length === 0 ? document.contents : document.getIn(path, true)
  const pair = isMap(map)
    ? map.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
    : undefined
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined
}

/** The issues of zod, one line each, with their location in the file. */
export function faultLines(file: YamlFile, issues: readonly z.core.$ZodIssue[], base: YamlPath = []): string[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path]
    if (issue.code === 'unrecognized_keys') {
      const messages = issue.message.split('\n')
      return issue.keys.map((key, i) => `${file.locateKey(path, key)} ${messages[i]}`)
    }
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      // The union's own message applies, unless one of its branches matched the value's shape.
      const hasOwnMessage = !issue.message.startsWith('Invalid input') && issue.errors.every(hasRootIssue)
      if (!hasOwnMessage) return faultLines(file, nearestBranch(issue.errors), path)
    }
    return [`${file.locate(path)} ${formatPath(path)} ${describeIssue(issue)}`]
  })
}

/** The branch of a union that matches the value best; its faults are the most useful ones. */
function nearestBranch(branches: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] {
  return branches.find((issues) => !hasRootIssue(issues)) ?? branches.at(-1)!
}

function hasRootIssue(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.some((issue) => issue.path.length === 0 && issue.code !== 'unrecognized_keys')
}

export function formatPath(path: YamlPath): string {
  return path.length === 0
    ? 'the file'
    : path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`)).join('')
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    if (!issue.message.startsWith('Invalid input')) return issue.message
    return issue.message.endsWith('received undefined')
      ? 'is missing. Add it.'
      : `must be ${TYPE_DESCRIPTIONS[issue.expected] ?? issue.expected}`
  }
  if (issue.code === 'invalid_value') return `must be ${issue.values.map((value) => `"${String(value)}"`).join(' or ')}`
  if (issue.code === 'too_small' && issue.message.startsWith('Too small')) return `must be at least ${issue.minimum}`
  if (issue.code === 'too_big' && issue.message.startsWith('Too big')) return `must be at most ${issue.maximum}`
  return issue.message
}

const TYPE_DESCRIPTIONS: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
  array: 'a list',
}
