import type { ReadinessItem } from '../contract/index.ts'
import { formatQuantity } from '../format/format.ts'
import { rehearsalStatus } from '../rollback/rehearsalStatus.ts'
import { contactItemId, DOCUMENTATION_ITEM, TRAINING_ITEM } from './signOffItems.ts'
import { attestedItem, judgeAttestation, findLatestAttestation, measuredItem } from './items.ts'
import { notReady, ready, type ItemState } from './itemState.ts'
import type { ReadinessInput } from './readinessInput.ts'

/** The list "Production readiness". */
export function productionItems(input: ReadinessInput): ReadinessItem[] {
  return [
    measuredItem(
      'column-drop-migration',
      'Column-drop migration PR created (Do Not Merge)',
      ['production'],
      judgeColumnDropPrepared(input),
    ),
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

function judgeColumnDropPrepared({ facts }: ReadinessInput): ItemState {
  const { columnDrop, stage } = facts
  if (stage === 'dropped') return ready('The legacy columns are dropped.', columnDrop?.at ?? new Date().toISOString())
  const instruction =
    'Prepare it: sti prepare-column-drop --generate-pr (with --safety-checks once the flag is at 100%).'
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
  return ready(
    `${columnDrop.pullRequest.title}${columnDrop.pullRequest.url === null ? '' : ` (${columnDrop.pullRequest.url})`}`,
    columnDrop.at,
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
    'Run it in staging (sti backfill) and upload the report (sti promote report.json).',
  )
}

function judgeRollbacksTested({ facts }: ReadinessInput): ItemState {
  const { counts, why, succeededAt, result, operationId } = rehearsalStatus(facts)
  if (!counts)
    return notReady(
      why!,
      'Rehearse them on a sample of the table (sti rehearse). The table itself is not changed.',
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
      'Add the address to the rollout file, then provision the contacts again (sti provisioning).',
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
      open.next!,
      open.since,
    )
  }
  return ready(
    `All ${formatQuantity(contacts.length, 'contact')} confirmed.`,
    confirmations.map(({ since }) => since!).sort()[0]!,
  )
}
