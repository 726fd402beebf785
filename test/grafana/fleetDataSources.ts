import type { FleetReady } from './fleetAgents.ts'
import { ADMIN } from './users.ts'

/** A data source for each member, with the uid `sti-<name>`. */
export async function addDataSources(grafanaUrl: string, { members, tokens }: FleetReady): Promise<void> {
  for (const { name, environment, url } of members)
    await changeDataSource(grafanaUrl, 'POST', '', {
      name: `STI ${name}`,
      uid: `sti-${name}`,
      type: 'sti-rollout-datasource',
      access: 'proxy',
      url,
      jsonData: { environment },
      secureJsonData: { viewerToken: tokens.viewer, editorToken: tokens.editor, adminToken: tokens.admin },
    })
}

export async function removeDataSources(grafanaUrl: string, members: readonly { name: string }[]): Promise<void> {
  for (const { name } of members) await changeDataSource(grafanaUrl, 'DELETE', `/uid/sti-${name}`)
}

/** As the admin, whose session in the browser belongs to other tests. */
async function changeDataSource(
  grafanaUrl: string,
  method: 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<void> {
  const answer = await fetch(`${grafanaUrl}/api/datasources${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${ADMIN.user}:${ADMIN.password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: body && JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${method} data source ${path}: ${answer.status} ${await answer.text()}`)
}
