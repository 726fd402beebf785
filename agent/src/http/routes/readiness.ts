import { createRoute } from '@hono/zod-openapi'
import { AttestationRequest, Readiness } from '../../contract/index.ts'
import { listSignOffItems, type SignOffItem } from '../../readiness/signOffItems.ts'
import { saveAttestation, withdrawAttestation } from '../../readiness/attestations.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { toActor, openApiResponses, requireRight, requireRollout, rolloutParams } from '../routeHelpers.ts'
import { isAtLeast, type Caller } from '../../rights/caller.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { parseExpiry } from '../parseExpiry.ts'
import { Refusal } from '../problem.ts'

const getReadinessRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/readiness',
  request: { params: rolloutParams },
  responses: openApiResponses(200, Readiness, 'the definition of done, item by item'),
})
const signOffRoute = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/attestations',
  request: {
    params: rolloutParams,
    body: { content: { 'application/json': { schema: AttestationRequest } }, required: true },
  },
  responses: openApiResponses(200, Readiness, 'signed off, or withdrawn'),
})

export function readinessRoutes(app: App, deps: ApiDependencies): void {
  const { state } = deps.database
  app.openapi(getReadinessRoute, async (c) =>
    c.json(await readReadinessFor(deps, requireRollout(deps, c.req.valid('param').rollout), c.get('caller')), 200),
  )
  app.openapi(signOffRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'attest')
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const request = c.req.valid('json')
    const item = await requireSignOffItem(deps, rollout, request.item)
    const signOff = { note: request.note, actor: toActor(caller) }
    if (!request.withdraw) {
      await saveAttestation(state, rollout.name, {
        ...signOff,
        item,
        expiresAt: parseExpiry(request.expiresAt, 'The sign-off'),
      })
    } else if (!(await withdrawAttestation(state, rollout.name, { ...signOff, item: item.item }))) {
      throw new Refusal('refused', `${item.item} has no sign-off to withdraw.`)
    }
    return c.json(await readReadinessFor(deps, rollout, caller), 200)
  })
}

/** Only editors see phone numbers and email addresses. */
async function readReadinessFor(deps: ApiDependencies, rollout: Rollout, caller: Caller): Promise<Readiness> {
  const readiness = await deps.readiness(await deps.facts(rollout))
  if (caller.mayAct && isAtLeast(caller.level, 'editor')) return readiness
  return { ...readiness, contacts: readiness.contacts.map((contact) => ({ ...contact, phone: null, email: null })) }
}

/** @throws Refusal invalid-body with the items that can be signed off */
async function requireSignOffItem(deps: ApiDependencies, rollout: Rollout, item: string): Promise<SignOffItem> {
  const signOffItems = listSignOffItems(rollout.file)
  const match = signOffItems.find((signOffItem) => signOffItem.item === item)
  if (match !== undefined) return match
  const { items } = await deps.readiness(await deps.facts(rollout))
  const measured = items.some((candidate) => candidate.item === item && candidate.by === 'measured')
  throw new Refusal(
    'invalid-body',
    measured ? `${item} is measured and cannot be signed off.` : `The item ${item} does not exist.`,
    signOffItems.map((signOffItem) => `${signOffItem.item}: ${signOffItem.what}`),
  )
}
