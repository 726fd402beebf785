import { z } from 'zod'
import { InvalidSqlError } from './identifiers.ts'
import { nearestMatch } from './nearestMatch.ts'

/** An object without unknown keys; each of them is a fault that names the nearest known one. One line per key. */
export function strictObject<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined
      return (issue as unknown as { keys: string[] }).keys
        .map((key) => {
          const suggestion = nearestMatch(key, known)
          return `unknown key "${key}": ${suggestion ? `did you mean "${suggestion}"?` : `use one of ${known.join(', ')}`}`
        })
        .join('\n')
    },
  })
}

/** A text that `parse` takes; what its SqlFault says becomes the fault. The file keeps the text as it is. */
export function sqlField(parse: (text: string) => unknown): z.ZodString {
  return z.string().superRefine((value, context) => {
    try {
      parse(value)
    } catch (error) {
      if (!(error instanceof InvalidSqlError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
    }
  })
}

const SECONDS_PER_UNIT = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

/** A duration such as `90s`, `10m`, `24h`, `7d`; in seconds once parsed. */
export const DurationSchema = z
  .string('is not a duration: write one such as 90s, 10m, 24h or 7d')
  .regex(/^[1-9][0-9]{0,6}[smhd]$/, 'is not a duration: write one such as 90s, 10m, 24h or 7d')
  .transform((text) => Number(text.slice(0, -1)) * SECONDS_PER_UNIT[text.slice(-1) as keyof typeof SECONDS_PER_UNIT])

export function textField(maximum = 4_000): z.ZodString {
  return z
    .string()
    .min(1, 'is empty: write it or leave the key out')
    .max(maximum, `is longer than ${maximum} characters: shorten it`)
    .refine((value) => !/\p{Cc}/u.test(value.replace(/[\n\t]/g, '')), 'has control characters: remove them')
}

export function patternField(pattern: RegExp, example: string): z.ZodString {
  return z.string().regex(pattern, `must match ${pattern.source}, such as ${example}`)
}

export const HttpUrlSchema = z.string().refine((value) => {
  const url = URL.canParse(value) ? new URL(value) : null
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}, 'is not an address: write http://… or https://…, without a name or password in it')
