import type { ReadinessItem } from '../contract/index.ts'
import type { PullRequestState } from '../columnDrop/pullRequest/pullRequestState.ts'
import { formatQuantity } from '../format/format.ts'
import { isKnown, type Reading } from '../signals/reading.ts'
import { rehearsalStatus } from '../rollback/rehearsalStatus.ts'
import { COLUMN_DROP_ITEM, contactItemId, DOCUMENTATION_ITEM, TRAINING_ITEM } from './signOffItems.ts'
import { attestedItem, judgeAttestation, findLatestAttestation, measuredItem } from './items.ts'
import { notReady, ready, step, unknown, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'

/** The list "Production readiness". */
export function productionItems(input: ReadinessInput): ReadinessItem[] {
  return [
    columnDropItem(input),
    measuredItem(
      'backfill-tested',
      'Enhanced backfill script tested and validated',
      ['production'],
      judgeBackfillTested(input),
    ),
    measuredItem(
      'rollbacks-tested',
      'Rollback procedures tested and documented',
      ['production'],
      judgeRollbacksTested(input),
    ),
    attestedItem(input, TRAINING_ITEM, 'Team training completed', ['production', 'team']),
    measuredItem('contacts', 'Emergency contacts confirmed', ['production', 'team'], judgeContacts(input)),
    attestedItem(input, DOCUMENTATION_ITEM, 'Documentation updated and accessible', ['production', 'documentation']),
  ]
}

/** The pull request decides. Without a repository, a person confirms that the draft was handed over. */
function columnDropItem(input: ReadinessInput): ReadinessItem {
  const judged = judgeColumnDropPrepared(input)
  const item = measuredItem(COLUMN_DROP_ITEM, 'Column-drop migration PR created (Do Not Merge)', ['production'], judged)
  if (input.pullRequest !== null || input.facts.stage === 'dropped') return item
  return { ...item, by: 'attested', attestation: findLatestAttestation(input, COLUMN_DROP_ITEM) }
}

function judgeColumnDropPrepared(input: ReadinessInput): ItemState {
  const { columnDrop, stage } = input.facts
  if (stage === 'dropped') return ready('The legacy columns are dropped.', columnDrop?.at ?? new Date().toISOString())
  const instruction = step(
    'Press Prepare column drop on the Column drop page once the flag is at 100%.',
    'sti prepare-column-drop --generate-pr --safety-checks',
  )
  if (columnDrop === null) return notReady('No column drop has been prepared.', instruction)
  if (!columnDrop.prepared || columnDrop.pullRequest === null)
    return notReady(
      `Column drop ${columnDrop.id} produced no pull request: ${columnDrop.reasons[0] ?? 'none was requested'}`,
      instruction,
      columnDrop.at,
    )
  if (columnDrop.staleBecause !== null)
    return notReady(
      `Column drop ${columnDrop.id} is no longer valid: ${columnDrop.staleBecause}.`,
      instruction,
      columnDrop.at,
    )
  if (columnDrop.verdict !== 'pass')
    return notReady(
      `Column drop ${columnDrop.id} is a draft whose safety checks do not pass: ${columnDrop.reasons[0] ?? columnDrop.verdict}`,
      instruction,
      columnDrop.at,
    )
  const draft = { id: columnDrop.id, at: columnDrop.at, ...columnDrop.pullRequest }
  return input.pullRequest === null ? judgeHandover(input, draft) : judgePullRequest(input.pullRequest, draft)
}

interface PassedDraft {
  readonly id: number
  readonly at: string
  readonly title: string
  readonly url: string | null
}

/** Where a repository is configured, only an open pull request counts. */
function judgePullRequest(state: Reading<PullRequestState>, { id, at, title, url }: PassedDraft): ItemState {
  const instruction = step(
    'Press Prepare column drop on the Column drop page, and let it open the pull request.',
    'sti prepare-column-drop --generate-pr --safety-checks --open-pull-request',
  )
  if (url === null)
    return notReady(
      `The draft of column drop ${id} passed its safety checks, but no pull request was opened.`,
      instruction,
      at,
    )
  if (!isKnown(state)) return unknown(`${state.unknown}.`, 'Check the repository and its token (STI_GITHUB_TOKEN).', at)
  if (state.value === 'open') return ready(`${title} (${url}) is open; its safety checks passed.`, at)
  return notReady(`The pull request ${url} is ${state.value}.`, instruction, new Date(state.at).toISOString())
}

/** A confirmation covers the draft that existed when it was given, not a later one. */
function judgeHandover(input: ReadinessInput, { id, at, title }: PassedDraft): ItemState {
  const confirmation = findLatestAttestation(input, COLUMN_DROP_ITEM)
  if (confirmation?.counts === true && confirmation.at >= at)
    return ready(
      `${title}: no repository is configured; the draft was handed over, confirmed by ${confirmation.by.name} on ${confirmation.at.slice(0, 10)}: ${confirmation.note}`,
      confirmation.at,
    )
  const why = confirmation === null ? 'nobody has confirmed' : 'nobody has confirmed since the draft was prepared'
  return notReady(
    `The draft of column drop ${id} passed its safety checks. No repository is configured, and ${why} that it was handed over.`,
    step('Hand its files over for review, then press Sign off.', `sti attest ${COLUMN_DROP_ITEM} --note "…"`),
    at,
  )
}

function judgeBackfillTested({ facts, promotedReport }: ReadinessInput): ItemState {
  const { lastSucceededBackfill: backfilled } = facts
  if (backfilled?.endedAt != null)
    return ready(`Backfill ${backfilled.id} completed in this environment with no rows left.`, backfilled.endedAt)
  if (promotedReport?.backfill?.endedAt != null)
    return ready(
      `Backfill ${promotedReport.backfill.id} completed in ${promotedReport.from} with no rows left.`,
      promotedReport.backfill.endedAt,
    )
  return notReady(
    'No backfill of this rollout has completed, neither here nor in an uploaded report.',
    step(
      'Press Backfill on the page of the rollout in staging, and press Submit report on the Validation page here with its report.',
      'sti backfill',
    ),
  )
}

function judgeRollbacksTested({ facts }: ReadinessInput): ItemState {
  const { counts, why, succeededAt, result, operationId } = rehearsalStatus(facts)
  if (!counts)
    return notReady(
      why!,
      step('Press Rehearse on the Readiness page. The table itself is not changed.', 'sti rehearse'),
      succeededAt,
    )
  return ready(
    `Rehearsal ${operationId} rolled back data and system on ${formatQuantity(result!.sampleRows, 'copied row')} and restored the original structure and checksum.`,
    succeededAt,
  )
}

function judgeContacts(input: ReadinessInput): ItemState {
  const { contacts } = input.facts.rollout.file
  if (contacts.length === 0)
    return notReady('The rollout file contains no contacts.', 'Add contacts to it in the order of escalation.')
  const unreachable = contacts.filter(({ email }) => email === undefined).map(({ role }) => role)
  if (unreachable.length > 0)
    return notReady(
      `Grafana cannot notify ${unreachable.join(', ')}: the rollout file has no email address for them.`,
      step(
        'Add the address to the rollout file, then press Generate provisioning files on the Configuration page.',
        'sti provisioning alerting.yaml --output <folder>',
      ),
    )
  const confirmations = contacts.map(({ role }) => ({
    role,
    ...judgeAttestation(findLatestAttestation(input, contactItemId(role)), contactItemId(role)),
  }))
  const open = confirmations.find(({ state }) => state !== 'ready')
  if (open !== undefined) {
    const count = confirmations.filter(({ state }) => state !== 'ready').length
    return notReady(
      `${count} of ${contacts.length} contacts are not confirmed, starting with ${open.role}: ${open.sentence}`,
      { text: open.next!, command: open.command! },
      open.since,
    )
  }
  return ready(
    `All ${formatQuantity(contacts.length, 'contact')} confirmed.`,
    confirmations.map(({ since }) => since!).sort()[0]!,
  )
}
