import { createRoute } from '@hono/zod-openapi'
import { AttestationRequest, Readiness } from '../../contract/index.ts'
import { attestableOf, type Attestable } from '../../readiness/attestable.ts'
import { attest, withdraw } from '../../readiness/attestations.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { actorOf, answers, demand, rolloutNamed, rolloutPath } from '../answers.ts'
import { reaches, type Caller } from '../caller.ts'
import type { App, Parts } from '../parts.ts'
import { Refusal } from '../problem.ts'

const read = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/readiness',
  request: { params: rolloutPath },
  responses: answers(200, Readiness, 'the definition of done, item by item'),
})
const sign = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/attestations',
  request: {
    params: rolloutPath,
    body: { content: { 'application/json': { schema: AttestationRequest } }, required: true },
  },
  responses: answers(200, Readiness, 'signed off, or withdrawn'),
})

const DAY_MS = 86_400_000
const STANDARD_DAYS = 90
const LONGEST_DAYS = 366

export function readinessRoutes(app: App, parts: Parts): void {
  const { state } = parts.database
  app.openapi(read, async (c) =>
    c.json(await readinessFor(parts, rolloutNamed(parts, c.req.valid('param').rollout), c.get('caller')), 200),
  )
  app.openapi(sign, async (c) => {
    const caller = c.get('caller')
    demand(parts, caller, 'attest')
    const rollout = rolloutNamed(parts, c.req.valid('param').rollout)
    const request = c.req.valid('json')
    const item = await attestable(parts, rollout, request.item)
    const of = { note: request.note, actor: actorOf(caller) }
    if (!request.withdraw) {
      await attest(state, rollout.name, { ...of, item, expiresAt: expiryOf(request) })
    } else if (!(await withdraw(state, rollout.name, { ...of, item: item.item }))) {
      throw new Refusal('refused', `Nothing stands of ${item.item} that could be withdrawn.`)
    }
    return c.json(await readinessFor(parts, rollout, caller), 200)
  })
}

/** Phones and e-mail addresses are for editors. */
async function readinessFor(parts: Parts, rollout: Rollout, caller: Caller): Promise<Readiness> {
  const readiness = await parts.readiness(await parts.facts(rollout))
  if (caller.mayAct && reaches(caller.level, 'editor')) return readiness
  return { ...readiness, contacts: readiness.contacts.map((one) => ({ ...one, phone: null, email: null })) }
}

/** @throws Refusal invalid-body, which names what can be signed off */
async function attestable(parts: Parts, rollout: Rollout, item: string): Promise<Attestable> {
  const all = attestableOf(rollout.file)
  const found = all.find((one) => one.item === item)
  if (found !== undefined) return found
  const { items } = await parts.readiness(await parts.facts(rollout))
  const measured = items.some((one) => one.item === item && one.by === 'measured')
  throw new Refusal(
    'invalid-body',
    measured ? `${item} is measured: nobody can sign it off.` : `There is no item ${item} to sign off.`,
    all.map((one) => `${one.item}: ${one.what}`),
  )
}

function expiryOf({ expiresAt }: AttestationRequest): Date {
  const now = Date.now()
  if (expiresAt === undefined) return new Date(now + STANDARD_DAYS * DAY_MS)
  const at = Date.parse(expiresAt)
  if (at <= now) throw new Refusal('invalid-body', 'It would have expired already.', ['expiresAt: give a time to come'])
  if (at > now + LONGEST_DAYS * DAY_MS)
    throw new Refusal('invalid-body', `A sign-off holds for at most ${LONGEST_DAYS} days.`, [
      'expiresAt: give an earlier time',
    ])
  return new Date(at)
}
