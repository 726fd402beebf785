import type { DataSourcePluginOptionsEditorProps } from '@grafana/data'
import { DataSourcePicker } from '@grafana/runtime'
import { Field, Input, SecretInput } from '@grafana/ui'
import React from 'react'
import { type AgentDataSourceOptions, type AgentDataSourceSecrets, TOKEN_KEYS } from './types'

const TOKEN_LEVELS = { viewerToken: 'viewer', editorToken: 'editor', adminToken: 'admin' } as const
const TOKEN_DESCRIPTIONS = {
  viewerToken: 'STI_TOKEN_VIEWER of the agent. Grafana adds it for everyone in the organization; it can only read.',
  editorToken: 'STI_TOKEN_EDITOR of the agent. Grafana adds it for editors and admins only.',
  adminToken: 'STI_TOKEN_ADMIN of the agent. Grafana adds it for admins only.',
} as const

type Props = DataSourcePluginOptionsEditorProps<AgentDataSourceOptions, AgentDataSourceSecrets>

/** The settings of an agent: its URL, and one token for each access level. */
export function ConfigEditor({ options, onOptionsChange }: Props) {
  const { url, jsonData, secureJsonFields, secureJsonData } = options
  const setJson = (change: Partial<AgentDataSourceOptions>) =>
    onOptionsChange({ ...options, jsonData: { ...jsonData, ...change } })
  return (
    <>
      <Field
        label="Agent URL"
        description="The URL at which the Grafana server reaches the agent."
        required
        invalid={url !== '' && !/^https?:\/\//.test(url)}
        error="The URL must begin with http:// or https://."
      >
        <Input
          id="sti-url"
          width={60}
          value={url}
          placeholder="http://agent:8090"
          onChange={(event) => onOptionsChange({ ...options, url: event.currentTarget.value.trim() })}
        />
      </Field>
      {TOKEN_KEYS.map((token) => (
        <Field key={token} label={`Token for ${TOKEN_LEVELS[token]}s`} description={TOKEN_DESCRIPTIONS[token]}>
          <SecretInput
            id={`sti-${token}`}
            width={60}
            isConfigured={secureJsonFields[token] ?? false}
            value={secureJsonData?.[token] ?? ''}
            onReset={() =>
              onOptionsChange({
                ...options,
                secureJsonFields: { ...secureJsonFields, [token]: false },
                secureJsonData: { ...secureJsonData, [token]: '' },
              })
            }
            onChange={(event) =>
              onOptionsChange({
                ...options,
                secureJsonData: { ...secureJsonData, [token]: event.currentTarget.value.trim() },
              })
            }
          />
        </Field>
      ))}
      <Field
        label="Environment"
        description="Optional. The connection test fails if the agent reports another environment."
      >
        <Input
          id="sti-environment"
          width={60}
          value={jsonData.environment ?? ''}
          placeholder="staging"
          onChange={(event) => setJson({ environment: event.currentTarget.value.trim() || undefined })}
        />
      </Field>
      <Field
        label="Prometheus"
        description="The data source with the metrics of this agent. Empty: the first Prometheus data source."
      >
        <DataSourcePicker
          type="prometheus"
          width={60}
          noDefault
          current={jsonData.prometheusUid ?? null}
          onChange={({ uid }) => setJson({ prometheusUid: uid })}
          onClear={() => setJson({ prometheusUid: undefined })}
          inputId="sti-prometheus"
        />
      </Field>
    </>
  )
}
