import { readFileSync } from 'node:fs'

export interface Settings {
  /** Every fault so far, in the order they were found. */
  readonly faults: readonly string[]
  fault(sentence: string): void
  /** The value of NAME, or of the file that NAME_FILE names, trimmed; null when absent or empty. */
  optional(name: string): string | null
  /** As `optional`; absent is a fault (said once) and gives ''. */
  required(name: string): string
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const faults: string[] = []
  const read = new Map<string, string | null>()

  function value(name: string): string | null {
    const direct = env[name]?.trim() || null
    const file = env[`${name}_FILE`]?.trim() || null
    if (direct !== null && file !== null) {
      faults.push(`${name} and ${name}_FILE are both set; keep one`)
      return direct
    }
    if (file === null) return direct
    try {
      const text = readFileSync(file, 'utf8').trim()
      if (!text) faults.push(`the file of ${name}_FILE is empty`)
      return text || null
    } catch (error) {
      faults.push(`the file of ${name}_FILE cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`)
      return null
    }
  }

  const optional = (name: string): string | null => {
    if (!read.has(name)) read.set(name, value(name))
    return read.get(name) ?? null
  }
  return {
    faults,
    fault: (sentence) => faults.push(sentence),
    optional,
    required(name) {
      const before = faults.length
      const first = !read.has(name)
      const found = optional(name)
      if (found === null && first && faults.length === before) faults.push(`${name} is missing`)
      return found ?? ''
    },
  }
}
