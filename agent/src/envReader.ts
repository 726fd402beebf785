import { readFileSync } from 'node:fs'

/** Reads the environment variables with these names only. */
export interface EnvReader<Name extends string> {
  /** Every fault so far, in the order of detection. */
  readonly faults: readonly string[]
  addFault(sentence: string): void
  /** The value of NAME, or the content of the file in NAME_FILE, trimmed; null if absent or empty. */
  optional(name: Name): string | null
  /** The value of NAME, or the path in NAME_FILE, for a file that is read later; null if absent. */
  valueOrFile(name: Name): string | { readonly file: string } | null
  /** Like `optional`; if absent, adds a fault once and returns ''. */
  required(name: Name): string
}

export function createEnvReader<Name extends string>(env: NodeJS.ProcessEnv): EnvReader<Name> {
  const faults: string[] = []
  const cache = new Map<string, string | null>()

  function valueOrFile(name: string): string | { readonly file: string } | null {
    const direct = env[name]?.trim() || null
    const file = env[`${name}_FILE`]?.trim() || null
    if (direct !== null && file !== null) faults.push(`${name} and ${name}_FILE are both set; remove one`)
    return direct ?? (file === null ? null : { file })
  }

  function readValue(name: string): string | null {
    const found = valueOrFile(name)
    if (found === null || typeof found === 'string') return found
    const { file } = found
    try {
      const text = readFileSync(file, 'utf8').trim()
      if (!text) faults.push(`the file of ${name}_FILE is empty`)
      return text || null
    } catch (error) {
      faults.push(`the file of ${name}_FILE cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`)
      return null
    }
  }

  const optional = (name: Name): string | null => {
    if (!cache.has(name)) cache.set(name, readValue(name))
    return cache.get(name) ?? null
  }
  return {
    faults,
    addFault: (sentence) => faults.push(sentence),
    optional,
    valueOrFile,
    required(name) {
      const faultCount = faults.length
      const isFirstRead = !cache.has(name)
      const optionalValue = optional(name)
      if (optionalValue === null && isFirstRead && faults.length === faultCount) faults.push(`${name} is missing`)
      return optionalValue ?? ''
    },
  }
}
