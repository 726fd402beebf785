import { quoteLiteral, type QualifiedName } from './identifiers.ts'
import type { OutsideObject } from './rollout.ts'

/** The prefix of the temporary functions whose bodies PostgreSQL resolves. */
export const PROBE_PREFIX = '~sti_probe_'

/** An object outside pg_catalog that a probe uses, with what makes it unsafe. */
export interface UsedObject extends OutsideObject {
  /** The names of the probes that use it, without their prefix. */
  readonly probes: readonly string[]
  /** Its owner can already run code as the agent: the owner of the table or of the database, a superuser. */
  readonly trustedOwner: boolean
  /** The owner of its schema could replace it. Null: that owner is trusted. */
  readonly untrustedSchemaOwner: string | null
  /**
   * It takes more than one type of argument (anyelement, VARIADIC), and untrusted roles can create a better match in its
   * schema.
   */
  readonly canBeOutmatched: boolean
}

/** CTEs that end with `trusted`: the roles that can run code as the agent anyway. */
export function trustedRolesCtes(table: QualifiedName): string {
  return `anchor (oid) as (
      select relowner from pg_class where oid = to_regclass(${quoteLiteral(table.sql)})
      union select datdba from pg_database where datname = current_database()
      union select oid from pg_roles where rolname = current_user
    ), trusted as (
      select r.oid from pg_roles r where r.rolsuper or r.rolname = 'pg_database_owner'
        or exists (select from anchor where pg_has_role(r.oid, anchor.oid, 'MEMBER'))
    )`
}

/**
 * SQL that lists everything outside pg_catalog that the probes of this session use, including functions of operators and
 * base types, with its owner: rows of `UsedObject`.
 */
export function usedObjectsSql(table: QualifiedName): string {
  return `with recursive ${trustedRolesCtes(table)}, used (probe, classid, objid) as (
      select p.proname::text, d.refclassid, d.refobjid from pg_proc p
        join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid
        where p.pronamespace = pg_my_temp_schema() and starts_with(p.proname, ${quoteLiteral(PROBE_PREFIX)})
      union
      select used.probe, next.classid, next.objid from used cross join lateral (
        select 'pg_proc'::regclass::oid, o.oprcode::oid from pg_operator o
          where used.classid = 'pg_operator'::regclass and o.oid = used.objid
        union all
        select 'pg_type'::regclass::oid, part from pg_type t, unnest(array[t.typbasetype, t.typelem]) part
          where used.classid = 'pg_type'::regclass and t.oid = used.objid and part <> 0
      ) next (classid, objid)
    ), object as (
      select used.probe, used.classid, used.objid,
        coalesce(p.pronamespace, o.oprnamespace, t.typnamespace, c.collnamespace, v.relnamespace) as namespace,
        coalesce(p.proowner, o.oprowner, t.typowner, c.collowner, v.relowner) as owner,
        case when p.oid is not null then 'function' when o.oid is not null then 'operator' when t.oid is not null then 'type'
          when c.oid is not null then 'collation' else 'view' end as kind,
        coalesce(p.provariadic <> 0, false) or exists (select from pg_type a where a.typtype = 'p'
          and (a.oid = any (p.proargtypes) or a.oid in (o.oprleft, o.oprright))) as flexible
      from used
      left join pg_proc p on used.classid = 'pg_proc'::regclass and p.oid = used.objid
      left join pg_operator o on used.classid = 'pg_operator'::regclass and o.oid = used.objid
      left join pg_type t on used.classid = 'pg_type'::regclass and t.oid = used.objid
      left join pg_collation c on used.classid = 'pg_collation'::regclass and c.oid = used.objid
      left join pg_class v on used.classid = 'pg_class'::regclass and v.oid = used.objid and v.relkind in ('v', 'f')
      where num_nonnulls(p.oid, o.oid, t.oid, c.oid, v.oid) > 0
    )
    select object.kind, (pg_identify_object(object.classid, object.objid, 0)).identity,
      owner.rolname::text as owner,
      jsonb_agg(distinct substr(object.probe, ${PROBE_PREFIX.length + 1})) as probes,
      exists (select from trusted where trusted.oid = owner.oid) as "trustedOwner",
      case when not exists (select from trusted where trusted.oid = n.nspowner) then n.nspowner::regrole::text end as "untrustedSchemaOwner",
      object.flexible and exists (select from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
        where a.privilege_type = 'CREATE' and not exists (select from trusted where trusted.oid = a.grantee)) as "canBeOutmatched"
    from object
    join pg_namespace n on n.oid = object.namespace
    join pg_roles owner on owner.oid = object.owner
    where n.nspname not in ('pg_catalog', 'information_schema') and n.oid <> pg_my_temp_schema()
    group by object.kind, object.classid, object.objid, object.flexible, owner.oid, owner.rolname, n.oid, n.nspowner, n.nspacl
    order by 1, 2`
}

/** Why this object must not run with the privileges of the agent, with what to do; null if it may. */
export function objectFault({ kind, identity, owner, ...object }: UsedObject): string | null {
  const subject = `${kind} ${identity}`
  const ways =
    kind === 'operator'
      ? 'drop it, or write the operator of PostgreSQL, as in OPERATOR(pg_catalog.=)'
      : kind === 'type'
        ? 'or use another type'
        : 'or use another one'
  if (!object.trustedOwner)
    return `uses ${subject}, which belongs to role ${owner}: its code would run with the privileges of the agent. Run ALTER ${sqlKind(kind)} … OWNER TO the owner of the table, ${ways}`
  if (object.untrustedSchemaOwner !== null)
    return `uses ${subject}, in a schema that belongs to role ${object.untrustedSchemaOwner}, which could replace it. Run ALTER SCHEMA … OWNER TO the owner of the table, or move it to another schema`
  if (object.canBeOutmatched)
    return `uses ${subject}, which takes any type, in a schema where other roles may create a better match. Declare it for the type of the column, or run REVOKE CREATE ON SCHEMA … FROM those roles`
  return null
}

const sqlKind = (kind: OutsideObject['kind']): string => kind.toUpperCase()

/** The objects as a rollout stores and shows them. */
export function toOutsideObjects(used: readonly UsedObject[]): OutsideObject[] {
  return used.map(({ kind, identity, owner }) => ({ kind, identity, owner }))
}
