import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StoredPullRequest {
  readonly number: number
  title: string
  body: string
  readonly head: string
  readonly base: string
  readonly draft: boolean
  labels: string[]
  state: 'open' | 'closed'
  merged_at: string | null
}

export interface GithubServer {
  readonly url: string
  readonly pulls: readonly StoredPullRequest[]
  /** The files of a branch by path. */
  files(branch: string): ReadonlyMap<string, string>
  readonly requests: readonly string[]
  /** The requests that the repository refuses from now on. */
  refuse(what: 'drafts' | 'token' | null): void
  close(): Promise<void>
}

/** The possible fields of a request body, as in GitHub's documentation. */
interface GithubRequestBody {
  readonly tree: string & readonly { path: string; mode: string; type: string; content: string }[]
  readonly base_tree: string
  readonly parents: string[]
  readonly ref: string
  readonly sha: string
  readonly title: string
  readonly body: string
  readonly head: string
  readonly base: string
  readonly draft: boolean
  readonly labels: string[]
}

/**
 * A server with the part of GitHub's REST API that opening a pull request needs, as documented by GitHub: Git objects
 * that reference each other, refs, pull requests, and labels.
 */
export async function startGithub(token: string): Promise<GithubServer> {
  const sha = (): string => randomBytes(20).toString('hex')
  const trees = new Map<string, Map<string, string>>()
  const commits = new Map<string, { tree: string; parents: string[] }>()
  const refs = new Map<string, string>()
  const pulls: StoredPullRequest[] = []
  const requests: string[] = []
  let refused: 'drafts' | 'token' | null = null
  const [root, first] = [sha(), sha()]
  trees.set(root, new Map([['README.md', 'app']]))
  commits.set(first, { tree: root, parents: [] })
  refs.set('heads/trunk', first)

  const shown = (pull: StoredPullRequest) => ({
    ...pull,
    html_url: `https://github.example/acme/app/pull/${pull.number}`,
  })

  function answer(method: string, path: string, query: URLSearchParams, body: GithubRequestBody): [number, unknown] {
    const at = /^\/repos\/acme\/app(.*)$/.exec(path)?.[1]
    if (at === undefined) return [404, { message: 'Not Found' }]
    const ref = /^\/git\/refs?\/(.+)$/.exec(at)?.[1]
    if (method === 'GET' && at === '') return [200, { default_branch: 'trunk' }]
    if (method === 'GET' && ref !== undefined) {
      const found = refs.get(ref)
      return found
        ? [200, { ref: `refs/${ref}`, object: { type: 'commit', sha: found } }]
        : [404, { message: 'Not Found' }]
    }
    const commit = /^\/git\/commits\/([0-9a-f]{40})$/.exec(at)?.[1]
    if (method === 'GET' && commit !== undefined)
      return [200, { sha: commit, tree: { sha: commits.get(commit)!.tree } }]
    if (method === 'POST' && at === '/git/trees') {
      const entries = body.tree as readonly { path: string; mode: string; type: string; content: string }[]
      const base = trees.get(body.base_tree)
      if (base === undefined || entries.some(({ mode, type }) => mode !== '100644' || type !== 'blob'))
        return [422, { message: 'Invalid tree info' }]
      const made = sha()
      trees.set(made, new Map([...base, ...entries.map(({ path: name, content }) => [name, content] as const)]))
      return [201, { sha: made }]
    }
    if (method === 'POST' && at === '/git/commits') {
      if (!trees.has(body.tree)) return [422, { message: 'Tree SHA does not exist' }]
      const made = sha()
      commits.set(made, { tree: body.tree, parents: body.parents })
      return [201, { sha: made }]
    }
    if (method === 'POST' && at === '/git/refs') {
      const name = body.ref.replace(/^refs\//, '')
      if (refs.has(name)) return [422, { message: 'Reference already exists' }]
      refs.set(name, body.sha)
      return [201, { ref: body.ref }]
    }
    if (method === 'PATCH' && ref !== undefined) {
      refs.set(ref, body.sha)
      return [200, { ref }]
    }
    if (method === 'GET' && at === '/pulls')
      return [200, pulls.filter(({ head }) => `acme:${head}` === query.get('head')).map(shown)]
    if (method === 'POST' && at === '/pulls') {
      if (refused === 'drafts') return [422, { message: 'Draft pull requests are not supported in this repository.' }]
      if (!refs.has(`heads/${body.head}`)) return [422, { message: 'Validation Failed' }]
      const { title, body: text, head, base, draft } = body
      pulls.push({
        number: pulls.length + 1,
        title,
        body: text,
        head,
        base,
        draft,
        labels: [],
        state: 'open',
        merged_at: null,
      })
      return [201, shown(pulls.at(-1)!)]
    }
    const number = Number(/^\/(?:pulls|issues)\/(\d+)/.exec(at)?.[1])
    const pull = pulls.find((candidate) => candidate.number === number)
    if (pull === undefined) return [404, { message: 'Not Found' }]
    if (method === 'GET') return [200, shown(pull)]
    if (method === 'PATCH') Object.assign(pull, { title: body.title, body: body.body })
    else pull.labels = [...new Set([...pull.labels, ...body.labels])]
    return [200, method === 'PATCH' ? shown(pull) : pull.labels.map((name) => ({ name }))]
  }

  const server = createServer((request, response) => {
    void readBody(request).then((text) => {
      const { pathname, searchParams } = new URL(request.url!, 'http://localhost')
      const path = decodeURIComponent(pathname.replace(/^\/api\/v3/, ''))
      requests.push(`${request.method} ${path}`)
      const denied = request.headers.authorization !== `token ${token}` || refused === 'token'
      const [status, body] = denied
        ? [401, { message: 'Bad credentials' }]
        : answer(request.method!, path, searchParams, (text ? JSON.parse(text) : {}) as GithubRequestBody)
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v3`,
    pulls,
    requests,
    files: (branch) => trees.get(commits.get(refs.get(`heads/${branch}`)!)!.tree)!,
    refuse(what) {
      refused = what
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
