import { request as githubRequest } from '@octokit/request'
import type { ColumnDropPullRequest } from '../../contract/index.ts'
import { errorMessage } from '../../database/errors.ts'
import { OperationFailedError } from '../../kind/operationErrors.ts'

/** The repository in which pull requests are opened. */
export interface GithubConfig {
  readonly token: string
  readonly owner: string
  readonly repository: string
  /** The API's address without a trailing slash, for GitHub Enterprise. */
  readonly apiUrl: string
}

/** A client of GitHub's API with the token of the configuration. */
export const createGithubRequest = ({ apiUrl, token }: GithubConfig): typeof githubRequest =>
  githubRequest.defaults({ baseUrl: apiUrl, headers: { authorization: `token ${token}`, 'user-agent': 'sti-rollout' } })

const REQUEST_TIMEOUT_MS = 20_000

/**
 * Opens a draft pull request with its label on a new branch from the default branch and returns its address. If the
 * branch already has a pull request, updates branch, title, and body.
 * @throws OperationFailedError with GitHub's message
 */
export async function openDraftPullRequest(config: GithubConfig, draft: ColumnDropPullRequest): Promise<string> {
  const send = createGithubRequest(config)
  const repositoryParameters = { owner: config.owner, repo: config.repository }
  const request = { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) }
  try {
    const { data: repository } = await send('GET /repos/{owner}/{repo}', {
      ...repositoryParameters,
      request,
    })
    const base = repository.default_branch
    const { data: head } = await send('GET /repos/{owner}/{repo}/git/ref/{ref}', {
      ...repositoryParameters,
      ref: `heads/${base}`,
      request,
    })
    const { data: parent } = await send('GET /repos/{owner}/{repo}/git/commits/{commit_sha}', {
      ...repositoryParameters,
      commit_sha: head.object.sha,
      request,
    })
    const { data: tree } = await send('POST /repos/{owner}/{repo}/git/trees', {
      ...repositoryParameters,
      base_tree: parent.tree.sha,
      request,
      tree: draft.files.map(({ path, text }) => ({
        path,
        mode: '100644' as const,
        type: 'blob' as const,
        content: text,
      })),
    })
    const { data: commit } = await send('POST /repos/{owner}/{repo}/git/commits', {
      ...repositoryParameters,
      message: draft.title,
      tree: tree.sha,
      parents: [parent.sha],
      request,
    })
    await pointBranch(send, repositoryParameters, draft.branch, commit.sha, request)
    const { data: openPullRequests } = await send('GET /repos/{owner}/{repo}/pulls', {
      ...repositoryParameters,
      head: `${config.owner}:${draft.branch}`,
      state: 'open' as const,
      request,
    })
    const text = { title: draft.title, body: draft.body }
    const { data: pull } =
      openPullRequests[0] === undefined
        ? await send('POST /repos/{owner}/{repo}/pulls', {
            ...repositoryParameters,
            ...text,
            head: draft.branch,
            base,
            draft: true,
            request,
          })
        : await send('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', {
            ...repositoryParameters,
            ...text,
            pull_number: openPullRequests[0].number,
            request,
          })
    await send('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', {
      ...repositoryParameters,
      issue_number: pull.number,
      labels: draft.labels,
      request,
    })
    return pull.html_url
  } catch (error) {
    throw new OperationFailedError(
      'github',
      `GitHub did not open the pull request in ${config.owner}/${config.repository} (${errorMessage(error).replaceAll(config.token, '…')}). Fix the cause, then prepare again, or write the files with sti prepare-column-drop --output.`,
    )
  }
}

async function pointBranch(
  send: typeof githubRequest,
  repositoryParameters: { owner: string; repo: string },
  branch: string,
  sha: string,
  request: { signal: AbortSignal },
): Promise<void> {
  try {
    await send('POST /repos/{owner}/{repo}/git/refs', {
      ...repositoryParameters,
      ref: `refs/heads/${branch}`,
      sha,
      request,
    })
  } catch (error) {
    // 422: the branch already exists, from an earlier attempt.
    if ((error as { status?: number }).status !== 422) throw error
    await send('PATCH /repos/{owner}/{repo}/git/refs/{ref}', {
      ...repositoryParameters,
      ref: `heads/${branch}`,
      sha,
      force: true,
      request,
    })
  }
}
