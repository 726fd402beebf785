import type { ReadinessItem } from '../contract/index.ts'
import { rehearsalStatus } from '../rollback/rehearsed.ts'
import { contactItem, DOCUMENTATION, TRAINING } from './attestable.ts'
import { attested, judgeAttestation, lastOf, measured } from './item.ts'
import { notReady, ready, type Judged } from './judged.ts'
import type { Seen } from './seen.ts'

/** "Production Readiness". */
export function productionItems(seen: Seen): ReadinessItem[] {
  return [
    measured(
      'column-drop-migration',
      'Column-drop migration PR created (Do Not Merge)',
      ['production'],
      columnDropPrepared(seen),
    ),
    measured('backfill-tested', 'Enhanced backfill script tested and validated', ['production'], backfillTested(seen)),
    measured('rollbacks-tested', 'Rollback procedures tested and documented', ['production'], rollbacksTested(seen)),
    attested(seen, TRAINING, 'Team training completed', ['production', 'team']),
    measured('contacts', 'Emergency contacts confirmed', ['production', 'team'], contacts(seen)),
    attested(seen, DOCUMENTATION, 'Documentation updated and accessible', ['production', 'documentation']),
  ]
}

function columnDropPrepared({ facts }: Seen): Judged {
  const { columnDrop, stage } = facts
  if (stage === 'dropped') return ready('The legacy columns are dropped.', columnDrop?.at ?? new Date().toISOString())
  const how = 'Prepare it: sti prepare-column-drop --generate-pr (with --safety-checks once the flag is at 100 %).'
  if (columnDrop === null) return notReady('No column drop has been prepared.', how)
  if (!columnDrop.prepared || columnDrop.pullRequest === null)
    return notReady(
      `Column drop ${columnDrop.id} produced no pull request: ${columnDrop.reasons[0] ?? 'none was asked for'}`,
      how,
      columnDrop.at,
    )
  if (columnDrop.staleBecause !== null)
    return notReady(`Column drop ${columnDrop.id} holds no more: ${columnDrop.staleBecause}.`, how, columnDrop.at)
  return ready(
    `${columnDrop.pullRequest.title}${columnDrop.pullRequest.url === null ? '' : ` (${columnDrop.pullRequest.url})`}`,
    columnDrop.at,
  )
}

function backfillTested({ facts, promoted }: Seen): Judged {
  const { backfilled } = facts
  if (backfilled?.endedAt != null)
    return ready(`Backfill ${backfilled.id} has ended here with nothing left.`, backfilled.endedAt)
  if (promoted?.backfill?.endedAt != null)
    return ready(
      `Backfill ${promoted.backfill.id} of ${promoted.from} has ended with nothing left.`,
      promoted.backfill.endedAt,
    )
  return notReady(
    'No backfill of this rollout has ended, neither here nor in a report handed in.',
    'Run it in staging (sti backfill) and hand in its report.',
  )
}

function rollbacksTested({ facts }: Seen): Judged {
  const { counts, why, succeededAt, result, operationId } = rehearsalStatus(facts)
  if (!counts)
    return notReady(
      why!,
      'Rehearse them on a sample of the table (sti rehearse); nothing else is touched.',
      succeededAt,
    )
  const rows = result!.sampleRows.toLocaleString('en')
  return ready(
    `Rehearsal ${operationId} took data and system back on ${rows} copied rows, with structure and checksum as before.`,
    succeededAt,
  )
}

function contacts(seen: Seen): Judged {
  const { contacts } = seen.facts.rollout.file
  if (contacts.length === 0)
    return notReady('The rollout file names no contact.', 'Write contacts into it, in the order of escalation.')
  const unreachable = contacts.filter(({ email }) => email === undefined).map(({ role }) => role)
  if (unreachable.length > 0)
    return notReady(
      `Grafana cannot call ${unreachable.join(', ')}: the rollout file has no e-mail address.`,
      'Write it into the rollout file, then provision the contacts again (sti provisioning).',
    )
  const judged = contacts.map(({ role }) => ({
    role,
    ...judgeAttestation(lastOf(seen, contactItem(role)), contactItem(role)),
  }))
  const open = judged.find(({ state }) => state !== 'ready')
  if (open !== undefined) {
    const count = judged.filter(({ state }) => state !== 'ready').length
    return notReady(
      `${count} of ${contacts.length} contacts are not confirmed, first ${open.role}: ${open.sentence}`,
      open.next!,
      open.since,
    )
  }
  return ready(`All ${contacts.length} are confirmed.`, judged.map(({ since }) => since!).sort()[0]!)
}
