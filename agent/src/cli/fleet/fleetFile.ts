import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { z } from 'zod'
import { errorMessage } from '../../database/errors.ts'
import { DurationSchema } from '../../rollout/schemaFields.ts'
import { AgentEntry, readAgentAddress } from '../cliSettings.ts'
import { usageError } from '../exitCode.ts'
import type { Terminal } from '../terminal.ts'
import { assignWaves, type Member, type Wave } from './waves.ts'

export interface Fleet {
  readonly rollout: string
  readonly members: readonly Member[]
  readonly waves: readonly Wave[]
  readonly atOnce: number
  /** `stop`: after an error no further member starts. `continue`: the others go on, and so does the next wave. */
  readonly onError: 'stop' | 'continue'
  /** A member that rolls back by itself takes the flag of every member with it. */
  readonly together: boolean
}

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must consist of letters, digits, and . _ -')
const MemberSchema = z.strictObject({
  name: Name,
  environment: z.string().min(1),
  labels: z.record(z.string(), z.coerce.string()).default({}),
  agents: z.array(AgentEntry).min(1),
})
const MembersSchema = z
  .array(MemberSchema)
  .min(1, 'must name at least one member')
  .superRefine((members, context) => {
    const names = members.map(({ name }) => name)
    for (const name of new Set(names.filter((each, index) => names.indexOf(each) !== index)))
      context.addIssue({ code: 'custom', message: `${name} is there twice` })
  })
const WaveSchema = z
  .strictObject({
    labels: z.record(z.string(), z.coerce.string()).optional(),
    percentage: z.number().gt(0).max(100).optional(),
    hold: DurationSchema.optional(),
  })
  .refine(({ labels, percentage }) => (labels === undefined) !== (percentage === undefined), {
    error: 'needs either labels or percentage',
  })

const FleetSchema = z
  .strictObject({
    rollout: z.string().min(1),
    members: MembersSchema.optional(),
    membersFrom: z.array(z.string().min(1)).min(1).optional(),
    waves: z.array(WaveSchema).default([]),
    atOnce: z.int().min(1).max(1_000).default(4),
    onError: z.enum(['stop', 'continue']).default('stop'),
    together: z.boolean().default(false),
  })
  .refine(({ members, membersFrom }) => (members === undefined) !== (membersFrom === undefined), {
    error: 'needs either members or membersFrom',
  })

const MEMBERS_TIMEOUT_MS = 60_000

/**
 * Reads a fleet file, and the members from the program of `membersFrom`, which prints them as JSON or YAML.
 *
 * @throws CliError usage: the file, the program's output, or a token file cannot be used
 */
export async function readFleet(terminal: Terminal, file: string): Promise<Fleet> {
  const path = resolve(terminal.cwd, file)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`Cannot read the file ${file}: ${error.code}.`)
  })
  const fleet = parseWith(FleetSchema, text, file)
  const entries = fleet.members ?? (await runMembersProgram(terminal, path, fleet.membersFrom!))
  const members = await Promise.all(
    entries.map(async ({ agents, ...member }) => ({
      ...member,
      agents: await Promise.all(agents.map((agent) => readAgentAddress(path, agent, 'own'))),
    })),
  )
  return { ...fleet, members, waves: assignWaves(members, fleet.waves) }
}

async function runMembersProgram(
  terminal: Terminal,
  path: string,
  [program, ...args]: readonly string[],
): Promise<z.infer<typeof MembersSchema>> {
  try {
    const { stdout } = await promisify(execFile)(program!, args, {
      cwd: dirname(path),
      env: terminal.env,
      timeout: MEMBERS_TIMEOUT_MS,
      maxBuffer: 16_000_000,
    })
    return parseWith(MembersSchema, stdout, `the output of ${program}`)
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error) throw error
    throw usageError(`membersFrom: ${program} failed: ${errorMessage(error)}`)
  }
}

function parseWith<T>(schema: z.ZodType<T>, text: string, where: string): T {
  let content: unknown
  try {
    content = parse(text)
  } catch (error) {
    throw usageError(`${where}: ${(error as Error).message.split('\n')[0]}`)
  }
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`)
  throw usageError(`${where}: ${faults.join('; ')}.`)
}
