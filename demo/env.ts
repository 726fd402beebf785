import { readFileSync } from 'node:fs'

/** A required environment variable. NAME_FILE names a file that holds the value, for secrets. Exits if neither is set. */
export function readEnv(name: string, fallback?: string): string {
  const file = process.env[`${name}_FILE`]
  const value = process.env[name] ?? (file ? readFileSync(file, 'utf8').trim() : fallback)
  if (value === undefined || value === '') {
    process.stderr.write(`Set ${name}${fallback === undefined ? '' : ` (default ${fallback})`}.\n`)
    process.exit(1)
  }
  return value
}
