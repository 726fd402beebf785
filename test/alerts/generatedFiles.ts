import { format } from 'prettier'
import { provision } from '../../agent/src/provisioning/provision.ts'
import { readAlertingFile } from '../../agent/src/provisioning/readAlertingFile.ts'
import { readPrometheusRules } from '../../agent/src/provisioning/prometheusRules.ts'

const root = new URL('../../', import.meta.url)

/**
 * Files of the repository that are generated from alerts/ and from the agents and contacts in two files; paths from
 * its root.
 */
export async function generatedFiles(): Promise<{ path: string; text: string }[]> {
  const groups = await readPrometheusRules()
  const demo = await readAlertingFile(new URL('provisioning/alerting.yaml', root).pathname)
  const example = await readAlertingFile(new URL('alerts/example/alerting.yaml', root).pathname)
  const { grafana } = provision(demo.file, groups, demo.rollouts)
  const { alertmanager } = provision(example.file, groups, example.rollouts, example.alertmanagerBase)
  const files = [
    ...grafana.map(({ name, text }) => ({ path: `provisioning/grafana/alerting/${name}`, text })),
    { path: 'alerts/example/alertmanager.yml', text: alertmanager! },
  ]
  return Promise.all(
    files.map(async ({ path, text }) => ({
      path,
      text: await format(text, { parser: 'yaml', printWidth: 120, singleQuote: true }),
    })),
  )
}
