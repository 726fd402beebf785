import { agentActor, type Operation } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { FileFacts } from '../kind/facts.ts'
import { changesDerivation } from '../rollout/derivation.ts'
import { compareFiles, toStoredFile, type FileChange, type StoredFile } from '../rollout/fileChanges.ts'
import type { Rollout } from '../rollout/rollout.ts'

const HEARTBEAT_INTERVAL_MS = 5_000
/** An agent that has not been seen for this long does not use its file any more. */
const AGENT_TIMEOUT_SECONDS = 20
const LISTED_PATHS = 12

/** Records which version of a rollout file this agent uses. */
export interface FileVersionRecorder {
  /** Called in each pass over a rollout. The first call of a process records a changed file with an event. */
  record(rollout: Rollout): Promise<void>
}

export function createFileVersionRecorder(state: Sql, agent: string): FileVersionRecorder {
  const seenAt = new Map<string, number>()
  return {
    async record(rollout) {
      const last = seenAt.get(rollout.name)
      if (last === undefined) await recordVersion(state, agent, rollout)
      if (last !== undefined && performance.now() - last < HEARTBEAT_INTERVAL_MS) return
      await state`
        insert into sti.agent_file (rollout, agent, hash, derivation_hash)
        values (${rollout.name}, ${agent}, ${rollout.hash}, ${rollout.derivationHash})
        on conflict (rollout, agent) do update set hash = excluded.hash, derivation_hash = excluded.derivation_hash,
          seen_at = clock_timestamp()`
      seenAt.set(rollout.name, performance.now())
    },
  }
}

/** Of agents that start with the same version, the first one records it. */
async function recordVersion(state: Sql, agent: string, rollout: Rollout): Promise<void> {
  const content = toStoredFile(rollout.file)
  const [previous] = await state<{ id: bigint; hash: string; content: StoredFile }[]>`
    select id, hash, content from sti.rollout_file where rollout = ${rollout.name} order by id desc limit 1`
  if (previous?.hash === rollout.hash) return
  const changes = previous === undefined ? [] : compareFiles(previous.content, content)
  const recordedChanges = changes.map(({ path, before, after }) => [path, before, after])
  await state`
    with recorded as (
      insert into sti.rollout_file (rollout, hash, derivation_hash, content, agent)
      select ${rollout.name}, ${rollout.hash}, ${rollout.derivationHash}, ${state.json(content as never)}::jsonb, ${agent}
      where not exists (select from sti.rollout_file
        where rollout = ${rollout.name} and id > ${previous?.id ?? 0n} and hash = ${rollout.hash})
      returning id
    )
    select sti.append_event(null, ${rollout.name}, ${state.json(agentActor(agent))}, 'file', ${describeChange(changes)}, null,
      jsonb_build_object('hash', ${previous?.hash ?? null}::text, 'values',
        (select jsonb_object_agg(c->>0, c->1) from jsonb_array_elements(${state.json(recordedChanges as never)}::jsonb) c)),
      jsonb_build_object('hash', ${rollout.hash}::text, 'values',
        (select jsonb_object_agg(c->>0, c->2) from jsonb_array_elements(${state.json(recordedChanges as never)}::jsonb) c)))
    from recorded where ${previous !== undefined}`
}

function describeChange(changes: readonly FileChange[]): string {
  if (changes.length === 0) return 'The text of the rollout file changed, but no value.'
  const derives = changes.some(({ path }) => changesDerivation(path))
  const consequence = derives
    ? 'Values that derive types changed, so steps must be repeated'
    : 'No step has to be repeated'
  return `The rollout file changed: ${listPaths(changes.map(({ path }) => path))}. ${consequence}.`
}

/** Reads which agents use another version now, and what derives differently since the last expand. */
export async function readFileFacts(
  state: Sql,
  rollout: Rollout,
  agent: string,
  succeeded: readonly Operation[],
): Promise<FileFacts> {
  const expand = succeeded.findLast(({ kind }) => kind === 'expand') ?? null
  const baseHash = expand?.derivationHash === rollout.derivationHash ? null : (expand?.derivationHash ?? null)
  const [others, [base]] = await Promise.all([
    state<{ agent: string; hash: string; derivation_hash: string; content: StoredFile | null }[]>`
      select a.agent, a.hash, a.derivation_hash, (select f.content from sti.rollout_file f
        where f.rollout = a.rollout and f.hash = a.hash order by f.id desc limit 1) as content
      from sti.agent_file a where a.rollout = ${rollout.name} and a.agent <> ${agent} and a.hash <> ${rollout.hash}
        and a.seen_at > clock_timestamp() - make_interval(secs => ${AGENT_TIMEOUT_SECONDS}) order by a.agent`,
    state<{ content: StoredFile }[]>`
      select content from sti.rollout_file where rollout = ${rollout.name} and derivation_hash = ${baseHash}
      order by id desc limit 1`,
  ])
  const content = toStoredFile(rollout.file)
  return {
    otherFiles: others.map((other) => ({
      agent: other.agent,
      hash: other.hash,
      derivesAlike: other.derivation_hash === rollout.derivationHash,
      changedPaths: other.content === null ? [] : compareFiles(other.content, content).map(({ path }) => path),
    })),
    derivationChange:
      expand === null || baseHash === null
        ? null
        : {
            since: `expand ${expand.id}`,
            changedPaths:
              base === undefined
                ? []
                : compareFiles(base.content, content)
                    .map(({ path }) => path)
                    .filter(changesDerivation),
          },
  }
}

/** One sentence per agent that uses another version of the file. */
export function otherFileNotes({ otherFiles }: Pick<FileFacts, 'otherFiles'>): string[] {
  return otherFiles.map(({ agent, derivesAlike, changedPaths }) => {
    const difference = changedPaths.length === 0 ? 'its text differs' : `different: ${listPaths(changedPaths)}`
    const consequence = derivesAlike
      ? 'Both continue to work.'
      : 'The values that derive types differ, so each agent runs only operations that were requested with its own version.'
    return `Agent ${agent} uses another version of the rollout file (${difference}). ${consequence} Deploy the same file to both.`
  })
}

/** What must be repeated after an edit of what derives. */
export function derivationChangeNotes({
  derivationChange,
  flagEnabled,
}: Pick<FileFacts, 'derivationChange'> & { readonly flagEnabled: boolean }): string[] {
  if (derivationChange === null) return []
  const { since, changedPaths } = derivationChange
  const what = changedPaths.length === 0 ? '' : ` (${listPaths(changedPaths)})`
  const flag = flagEnabled ? 'turn the flag off, then ' : ''
  return [
    `The values of the rollout file that derive types have changed since ${since}${what}: ${flag}run expand, backfill, validation, and finalize again, or restore the values.`,
  ]
}

function listPaths(paths: readonly string[]): string {
  const rest = paths.length - LISTED_PATHS
  return rest > 0 ? `${paths.slice(0, LISTED_PATHS).join(', ')}, and ${rest} more` : paths.join(', ')
}
