import { expect, test } from 'vitest'
import { toAgentError } from './AgentError'

const hopAndMessage = (thrown: unknown) => {
  const { hop, message } = toAgentError(thrown, 'STI staging', 3000)
  return [hop, message]
}

test('every hop has its own message', () => {
  expect(hopAndMessage({ status: 502, data: '' })).toEqual([
    'network',
    'Grafana cannot reach STI staging. Check that the agent is running and that the URL of its data source is correct.',
  ])
  expect(hopAndMessage({ cancelled: true })).toEqual(['network', 'STI staging did not respond within 3 s.'])
  expect(hopAndMessage({ status: 403, data: { message: 'plugin proxy route access denied' } })[0]).toBe('grafana')
  expect(hopAndMessage({ status: 400, data: { message: 'Authentication to data source failed' } })[0]).toBe('token')
  expect(hopAndMessage({ status: 404, data: { message: 'unable to find plugin' } })[0]).toBe('grafana')
  expect(hopAndMessage({ status: 404, data: '<html>nginx</html>' })).toEqual([
    'network',
    'STI staging responds with 404, so it is not an STI agent. Check the URL of its data source.',
  ])
  expect(hopAndMessage({ status: 0 })).toEqual(['grafana', 'Grafana does not respond.'])
})

test('a problem of the agent keeps its message and its reasons', () => {
  const problem = {
    type: 'about:blank',
    title: 'Refused',
    status: 409,
    code: 'refused',
    detail: 'The flag cannot be enabled yet.',
    reasons: ['Coverage is not complete: run a backfill.'],
  }
  const error = toAgentError({ status: 409, data: problem }, 'STI staging', 3000)
  const known = { hop: 'agent', code: 'refused', message: problem.detail, reasons: problem.reasons }
  expect(error).toMatchObject(known)
  // A report is requested as text, so its refusal is text, too.
  expect(toAgentError({ status: 409, data: JSON.stringify(problem) }, 'STI staging', 3000)).toMatchObject(known)
})
