import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Alert, Button, Field, FileUpload, Modal, Stack, TextArea, useStyles2 } from '@grafana/ui'
import type { AgentStatus } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { RefusableButton } from '../action/ActionButton'
import { ErrorBox } from '../action/ErrorBox'
import { missingRightReasons } from '../action/refusalReasons'
import type { AgentDataSource } from '../agent/agentDataSources'
import { downloadFile } from '../evidence/download'
import { FILE_TOOLS, type FileTool, type FileToolResult } from './fileToolActions'

interface Props {
  agent: AgentDataSource
  status: Pick<AgentStatus, 'you'>
}

/** Buttons for what the commands without an agent do: verify a report, check a rollout file, write provisioning files. */
export function FileTools({ agent, status }: Props) {
  const [tool, setTool] = useState<FileTool | null>(null)
  return (
    <>
      {FILE_TOOLS.map((each) => (
        <RefusableButton
          key={each.label}
          variant="secondary"
          icon={each.icon}
          reasons={each.requires ? missingRightReasons(status, each.requires) : []}
          onClick={() => setTool(each)}
        >
          {each.label}
        </RefusableButton>
      ))}
      {tool && <FileToolDialog agent={agent} tool={tool} onClose={() => setTool(null)} />}
    </>
  )
}

function FileToolDialog({ agent, tool, onClose }: { agent: AgentDataSource; tool: FileTool; onClose: () => void }) {
  const styles = useStyles2(getStyles)
  const [file, setFile] = useState({ name: tool.defaultName, text: '' })
  const [result, setResult] = useState<FileToolResult | null>(null)
  const [error, setError] = useState<Error | null>(null)
  const [busy, setBusy] = useState(false)
  const edit = (edited: typeof file) => {
    setResult(null)
    setError(null)
    setFile(edited)
  }
  const run = () => {
    setBusy(true)
    setResult(null)
    setError(null)
    tool
      .run(agent, file)
      .then(setResult)
      .catch((thrown: unknown) =>
        setError(
          thrown instanceof SyntaxError ? new Error(`The file is not JSON: ${thrown.message}`) : (thrown as Error),
        ),
      )
      .finally(() => setBusy(false))
  }
  const selectFile = (input: HTMLInputElement) => {
    const selected = input.files?.[0]
    selected
      ?.text()
      .then((text) => edit({ name: selected.name, text }))
      .catch(() => setError(new Error('Cannot read the file.')))
    // Without this, the browser does not report that the same file is selected again after a change.
    input.value = ''
  }
  return (
    <Modal isOpen title={`${tool.label}, ${agent.name}`} onDismiss={onClose}>
      <p>{tool.description}</p>
      <Field label="File">
        <FileUpload accept={tool.accept} size="sm" onFileUpload={({ currentTarget }) => selectFile(currentTarget)}>
          Choose file
        </FileUpload>
      </Field>
      <Field label="Content" description="Select a file, or paste its content.">
        <TextArea
          id="sti-file-content"
          className={styles.content}
          rows={10}
          value={file.text}
          spellCheck={false}
          onChange={(event) => edit({ ...file, text: event.currentTarget.value })}
        />
      </Field>
      <div aria-live="polite">
        {error !== null && <ErrorBox error={error} />}
        {result !== null && (
          <Alert severity={result.ok ? 'success' : 'error'} title={result.title}>
            {result.lines.length > 0 && (
              <ul className={styles.lines}>
                {result.lines.map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
            )}
            <Stack direction="row" wrap="wrap" gap={1}>
              {result.downloads.map(({ name, text }) => (
                <Button
                  key={name}
                  size="sm"
                  variant="secondary"
                  icon="download-alt"
                  onClick={() => downloadFile(text, 'application/yaml', name)}
                >
                  {name}
                </Button>
              ))}
            </Stack>
          </Alert>
        )}
      </div>
      <Modal.ButtonRow>
        <Button variant="secondary" fill="outline" onClick={onClose}>
          Close
        </Button>
        <Button icon={busy ? 'spinner' : tool.icon} disabled={busy || file.text.trim() === ''} onClick={run}>
          {tool.label}
        </Button>
      </Modal.ButtonRow>
    </Modal>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  content: css({ fontFamily: theme.typography.fontFamilyMonospace, fontSize: theme.typography.bodySmall.fontSize }),
  lines: css({ margin: 0, paddingInlineStart: '1.2em', overflowWrap: 'anywhere' }),
})
