import { Alert, Button, Field, FileUpload, Modal, TextArea } from '@grafana/ui'
import React, { type ReactNode, useState } from 'react'
import { toAgentError } from '../agent/AgentError'
import type { AgentDataSource } from '../agent/agentDataSources'
import { FILE_TOOLS, type FileTool, type FileToolResult } from './fileToolActions'
import { downloadFile } from '../evidence/download'

/** Buttons for what the commands without an agent do: verify a report, check a rollout file, write provisioning files. */
export function FileTools({ agent }: { agent: AgentDataSource }) {
  const [tool, setTool] = useState<FileTool | null>(null)
  return (
    <>
      {FILE_TOOLS.map((each) => (
        <Button key={each.label} size="sm" variant="secondary" icon={each.icon} onClick={() => setTool(each)}>
          {each.label}
        </Button>
      ))}
      {tool && <FileToolDialog agent={agent} tool={tool} onClose={() => setTool(null)} />}
    </>
  )
}

function FileToolDialog({ agent, tool, onClose }: { agent: AgentDataSource; tool: FileTool; onClose: () => void }) {
  const [file, setFile] = useState({ name: tool.defaultName, text: '' })
  const [result, setResult] = useState<FileToolResult | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const run = () => {
    setBusy(true)
    setResult(null)
    setError(null)
    tool
      .run(agent, file)
      .then(setResult)
      .catch((thrown: unknown) =>
        setError(thrown instanceof SyntaxError ? 'The file is not JSON.' : toAgentError(thrown, agent.name, 0).message),
      )
      .finally(() => setBusy(false))
  }
  const selectFile = (selected: File | undefined) => {
    setResult(null)
    selected
      ?.text()
      .then((text) => setFile({ name: selected.name, text }))
      .catch(() => setError('Cannot read the file.'))
  }
  return (
    <Modal isOpen title={`${tool.label}, ${agent.name}`} onDismiss={onClose}>
      <p>{tool.description}</p>
      <Field label="File">
        <FileUpload
          accept={tool.accept}
          size="sm"
          onFileUpload={({ currentTarget }) => selectFile(currentTarget.files?.[0])}
        >
          Choose file
        </FileUpload>
      </Field>
      <Field label="Content">
        <TextArea
          id="sti-file-content"
          rows={10}
          value={file.text}
          spellCheck={false}
          onChange={(event) => {
            setResult(null)
            setFile({ ...file, text: event.currentTarget.value })
          }}
        />
      </Field>
      <div aria-live="polite">
        {error !== null && <Alert severity="error" title={error} />}
        {result !== null && (
          <Alert severity={result.ok ? 'success' : 'error'} title={result.title}>
            <ul>
              {result.lines.map((line): ReactNode => (
                <li key={line}>{line}</li>
              ))}
            </ul>
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
