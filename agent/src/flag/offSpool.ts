import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AccessLevel, Actor } from '../contract/index.ts'
import { parseConnectionUrl } from '../database/connectionUrl.ts'
import { errorMessage } from '../database/errors.ts'
import type { FlagChange } from './flagStore.ts'

/** An off that the database has not stored yet. */
export interface SpooledOff {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly since: number
  readonly change: FlagChange
}

/** Keeps each pending off in a file, so that it outlives the process. A folder that cannot be used keeps nothing. */
export interface OffSpool {
  /** The offs that an earlier process left. */
  load(): SpooledOff[]
  /** True once the file is on the disk. */
  save(off: SpooledOff): Promise<boolean>
  remove(id: string): Promise<void>
}

const SpoolFile = z.object({
  since: z.number(),
  change: z.object({
    rollout: z.string(),
    fileHash: z.string(),
    derivationHash: z.string(),
    kind: z.enum(['flag', 'rollback']),
    enabled: z.literal(false),
    percentage: z.literal(0),
    actor: z.object({ name: z.string(), level: AccessLevel, via: Actor.shape.via }),
    reason: z.string().nullable(),
    parameters: z.record(z.string(), z.unknown()),
    idempotencyKey: z.string(),
    requestHash: z.string(),
    message: z.string(),
    expectedVersion: z.null(),
    servedSince: z.string().nullable(),
    agent: z.string(),
  }),
})

/**
 * A spool of one environment and database: an agent of another one may use the same folder. Several agents of the same
 * one may share it, too: an off that two of them write is stored once, by its idempotency key.
 */
export function createOffSpool(options: {
  readonly folder: string
  readonly environment: string
  readonly databaseUrl: string
  readonly log: (line: Record<string, unknown>) => void
}): OffSpool {
  const { folder, log } = options
  const prefix = `off-${scopeOf(options.environment, options.databaseUrl)}-`
  const pathOf = (id: string): string => join(folder, `${prefix}${id}.json`)
  /** A file is removed only after it was written. */
  const saving = new Map<string, Promise<boolean>>()
  let usable = false
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = lstatSync(folder)
    if (!found.isDirectory()) throw new Error('it is not a folder')
    if (process.getuid !== undefined && found.uid !== process.getuid()) throw new Error('it belongs to another user')
    usable = true
  } catch (error) {
    reportFault(error)
  }

  function reportFault(error: unknown): void {
    log({
      level: 'error',
      event: 'flag-spool-unusable',
      folder,
      message: `An off that the database has not stored is in memory only: ${errorMessage(error)}. Set STI_SPOOL_FOLDER to a folder that the agent can write.`,
    })
  }

  async function write(off: SpooledOff): Promise<boolean> {
    const path = pathOf(off.id)
    try {
      const file = await open(`${path}.part`, 'w', 0o600)
      try {
        await file.writeFile(JSON.stringify({ since: off.since, change: off.change }))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${path}.part`, path)
      return true
    } catch (error) {
      reportFault(error)
      return false
    }
  }

  function read(name: string): SpooledOff | null {
    try {
      const { since, change } = SpoolFile.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')))
      return { id: name.slice(prefix.length, -'.json'.length), since, change }
    } catch (error) {
      log({
        level: 'error',
        event: 'flag-spool-unreadable',
        file: join(folder, name),
        message: `This file of an off cannot be read: ${errorMessage(error)}. Turn the flag off again if it has to be off, then delete the file.`,
      })
      return null
    }
  }

  return {
    load() {
      if (!usable) return []
      return readdirSync(folder)
        .filter((name) => name.startsWith(prefix) && name.endsWith('.json'))
        .map(read)
        .filter((off) => off !== null)
        .sort((a, b) => a.since - b.since)
    },
    save(off) {
      if (!usable) return Promise.resolve(false)
      const saved = write(off)
      saving.set(off.id, saved)
      return saved
    },
    async remove(id) {
      if (!usable) return
      await saving.get(id)
      saving.delete(id)
      try {
        await rm(pathOf(id), { force: true })
      } catch (error) {
        reportFault(error)
      }
    },
  }
}

/** Names the database without its credentials. */
function scopeOf(environment: string, databaseUrl: string): string {
  const { hosts, database } = parseConnectionUrl(databaseUrl)
  const addresses = hosts.map(({ name, port }) => `${name}:${port}`)
  return createHash('sha256')
    .update(JSON.stringify([environment, addresses, database]))
    .digest('hex')
    .slice(0, 16)
}
