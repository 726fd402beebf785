import { z } from 'zod'
import { httpUrlFault } from '../format/url.ts'
import { InvalidSqlError } from './identifiers.ts'
import { nearestMatch } from './nearestMatch.ts'

/** An object without unknown keys. Each unknown key is a fault with the nearest known key, one line per key. */
export function strictObject<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined
      return (issue as unknown as { keys: string[] }).keys
        .map((key) => {
          const suggestion = nearestMatch(key, known)
          return `unknown key "${key}". ${suggestion ? `Did you mean "${suggestion}"?` : `Use one of ${known.join(', ')}.`}`
        })
        .join('\n')
    },
  })
}

/** A text that `parse` accepts; the message of its InvalidSqlError becomes the fault. The value is the text itself. */
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

/** A duration such as `90s`, `10m`, `24h` or `7d`; the value is in seconds. */
export const DurationSchema = z
  .string('is not a duration. Write one such as 90s, 10m, 24h or 7d.')
  .regex(/^[1-9][0-9]{0,6}[smhd]$/, 'is not a duration. Write one such as 90s, 10m, 24h or 7d.')
  .transform((text) => Number(text.slice(0, -1)) * SECONDS_PER_UNIT[text.slice(-1) as keyof typeof SECONDS_PER_UNIT])

export function textField(maximum = 4_000, emptyFault = 'is empty. Set it or remove the key.'): z.ZodString {
  return z
    .string({ error: ({ input }) => (input === null ? emptyFault : undefined) })
    .min(1, emptyFault)
    .max(maximum, `is longer than ${maximum} characters. Shorten it.`)
    .refine((value) => !/\p{Cc}/u.test(value.replace(/[\n\t]/g, '')), 'has control characters. Remove them.')
}

export function patternField(pattern: RegExp, example: string): z.ZodString {
  return z.string().regex(pattern, `must match ${pattern.source}, such as ${example}`)
}

export const HttpUrlSchema = z
  .string()
  .refine(
    (value) => httpUrlFault(value, 'refused') === null,
    'is not a URL. Write http://… or https://…, without a user name or password.',
  )
