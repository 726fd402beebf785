import { createRoute } from '@hono/zod-openapi'
import { readAcceptances, saveAcceptances, withdrawAcceptances } from '../../acceptance/acceptanceStore.ts'
import { readColumnDrop } from '../../columnDrop/store.ts'
import { readLatestCheckResults, readLatestValidation } from '../../validation/store.ts'
import { AcceptanceRequest, Acceptances, type AcceptableSubject } from '../../contract/index.ts'
import { CONFLICTS_CHECK } from '../../dualWrite/correctedWrites.ts'
import { readRollbacks, ZERO_ROLLBACKS_ITEM } from '../../readiness/rollbacks.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { parseExpiry } from '../parseExpiry.ts'
import { Refusal } from '../problem.ts'
import { requireEnvironment } from '../requestRights.ts'
import { openApiResponses, requireRight, requireRollout, rolloutParams, toActor } from '../routeHelpers.ts'

const listAcceptancesRoute = createRoute({
  method: 'get',
  path: '/v1/rollouts/{rollout}/acceptances',
  request: { params: rolloutParams },
  responses: openApiResponses(200, Acceptances, 'acceptances, and the subjects that can be accepted'),
})
const acceptRoute = createRoute({
  method: 'post',
  path: '/v1/rollouts/{rollout}/acceptances',
  request: {
    params: rolloutParams,
    body: { content: { 'application/json': { schema: AcceptanceRequest } }, required: true },
  },
  responses: openApiResponses(200, Acceptances, 'accepted, or withdrawn'),
})

export function acceptanceRoutes(app: App, deps: ApiDependencies): void {
  const { state } = deps.database
  app.openapi(listAcceptancesRoute, async (c) =>
    c.json(await readAll(deps, requireRollout(deps, c.req.valid('param').rollout)), 200),
  )
  app.openapi(acceptRoute, async (c) => {
    const caller = c.get('caller')
    requireRight(deps, caller, 'accept-check')
    const rollout = requireRollout(deps, c.req.valid('param').rollout)
    const request = c.req.valid('json')
    requireEnvironment(deps, request.environment)
    const { check, reason } = request
    const actor = toActor(caller)
    if (request.withdraw) {
      const valid = (await readAcceptances(state, rollout.name)).filter((one) => one.valid)
      const subjects = resolveSubjects(check, request.subjects, valid)
      if ((await withdrawAcceptances(state, rollout.name, { check, subjects, reason, actor })) === 0)
        throw new Refusal('refused', `${check} has no valid acceptance of ${subjects.join(', ')} to withdraw.`)
    } else {
      const expiresAt = parseExpiry(request.expiresAt, 'The acceptance')
      const subjects = resolveSubjects(check, request.subjects, await listAcceptable(deps, rollout))
      await saveAcceptances(state, rollout.name, { check, subjects, reason, actor, expiresAt })
    }
    return c.json(await readAll(deps, rollout), 200)
  })
}

async function readAll(deps: ApiDependencies, rollout: Rollout): Promise<Acceptances> {
  const { database, config } = deps
  const [acceptances, acceptable] = await Promise.all([
    readAcceptances(database.state, rollout.name),
    listAcceptable(deps, rollout),
  ])
  return { rollout: rollout.name, environment: config.environment, acceptances, acceptable }
}

/**
 * What the newest runs of the checks, and the list of rollbacks, leave to an admin, also what is accepted already: it can be
 * renewed.
 */
async function listAcceptable(deps: ApiDependencies, rollout: Rollout): Promise<AcceptableSubject[]> {
  const { state } = deps.database
  const [columnDrop, validation, rollbacks, { correctedWrites }] = await Promise.all([
    readColumnDrop(state, rollout.name),
    readLatestValidation(state, rollout.name, rollout.file.validation.requires),
    readRollbacks(state, rollout.name),
    deps.facts(rollout),
  ])
  const results = validation === null ? [] : await readLatestCheckResults(state, rollout.name, validation.id)
  return [
    ...(correctedWrites?.statements ?? []).map((subject) => ({ check: CONFLICTS_CHECK, subject })),
    ...[...results, ...(columnDrop?.checks ?? [])].flatMap(({ check, acceptable, accepted }) =>
      [...acceptable, ...accepted.map(({ subject }) => subject)].map((subject) => ({ check, subject })),
    ),
    ...rollbacks.map(({ name }) => ({ check: ZERO_ROLLBACKS_ITEM, subject: name })),
  ]
}

/**
 * Finds each requested subject: by its name, or by a beginning that fits only one.
 * @throws Refusal invalid-body with the subjects of the check
 */
function resolveSubjects(
  check: string,
  requested: readonly string[],
  candidates: readonly AcceptableSubject[],
): string[] {
  const subjects = [...new Set(candidates.filter((one) => one.check === check).map(({ subject }) => subject))]
  if (subjects.length === 0)
    throw new Refusal('invalid-body', `The check ${check} currently has no subject to accept or withdraw.`, [
      candidates.length === 0
        ? 'check: no check has a subject; run the checks first, such as with sti validate or sti prepare-column-drop'
        : `check: name one of ${[...new Set(candidates.map((one) => one.check))].join(', ')}`,
    ])
  const resolved = requested.map((text) => {
    const matches = subjects.includes(text) ? [text] : subjects.filter((subject) => subject.startsWith(text))
    if (matches.length === 1) return matches[0]!
    throw new Refusal(
      'invalid-body',
      `${matches.length === 0 ? 'No subject' : 'More than one subject'} of the check ${check} begins with ${text}.`,
      subjects.map((subject) => `subjects: ${subject}`),
    )
  })
  return [...new Set(resolved)]
}
