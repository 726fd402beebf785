import { partitionTreeCte } from '../../statements/partitionTreeCte.ts'
import type { DropCheck, TableContext } from './dropCheck.ts'

export const noSubscribers: DropCheck<TableContext> = {
  name: 'no-subscriber',
  question: 'Are all logical subscribers and replication slots independent of the columns?',
  async run({ sql, table, rollout }) {
    const columns = sql.json([...rollout.legacyColumns])
    const publications = await sql<{ name: string }[]>`
      with /* sti */ ${partitionTreeCte(sql, table.oid)}
      select distinct p.pubname as name from pg_publication p, tree join pg_class c on c.oid = tree.oid
      where p.puballtables
        or exists (select from pg_publication_namespace s where s.pnpubid = p.oid and s.pnnspid = c.relnamespace)
        or exists (select from pg_publication_rel r where r.prpubid = p.oid and r.prrelid = c.oid and (r.prattrs is null
          or exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum = any (r.prattrs::int2[])
            and a.attname in (select jsonb_array_elements_text(${columns}::jsonb)))))
      order by 1`
    const slots = await sql<{ name: string; plugin: string; active: boolean }[]>`
      select /* sti */ slot_name as name, plugin, active from pg_replication_slots
      where slot_type = 'logical' and database = current_database() order by 1`
    const names = publications.map(({ name }) => name)
    const subscribersReady = rollout.file.publication === 'subscriber-ready'
    if (names.length > 0 && !subscribersReady)
      return {
        verdict: 'fail',
        evidence: `publication ${names.join(', ')} sends the columns to subscribers, where new rows would lack them: publish the table with a column list without them, and drop them on the subscribers`,
        findings: names,
      }
    const foreignSlots = slots.filter(({ plugin }) => plugin !== 'pgoutput')
    if (foreignSlots.length > 0) {
      const findings = foreignSlots.map(({ name, plugin }) => `${name} (${plugin})`)
      return {
        verdict: 'inconclusive',
        evidence: `the agent cannot check who reads the logical ${findings.length === 1 ? 'slot' : 'slots'} ${findings.join(', ')}: make sure that no consumer needs the columns, or drop or replace ${findings.length === 1 ? 'the slot' : 'the slots'}`,
        findings,
        acceptable: foreignSlots.map(({ name, plugin }) => `slot ${name} (${plugin})`),
      }
    }
    return {
      verdict: 'pass',
      evidence:
        names.length > 0
          ? `publication ${names.join(', ')} sends the columns, and the rollout file sets publication: subscriber-ready. Make the columns nullable on the subscribers, or drop them there, before the migration runs`
          : `no publication sends the columns, and there is no logical slot${slots.length > 0 ? ` except ${slots.length} for publications` : ''}`,
    }
  },
}
