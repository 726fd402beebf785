import { randomBytes } from 'node:crypto'
import { createServer, type Socket } from 'node:net'

/** A TCP server that answers whatever it is asked with what neither PostgreSQL nor an HTTP server would say. */
export interface GarbageServer {
  readonly port: number
  /** Answers of each kind so far. */
  readonly answers: ReadonlyMap<string, number>
  stop(): Promise<void>
}

const message = (type: string, body: Buffer | string): Buffer => {
  const bytes = Buffer.from(body as string)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length + 4)
  return Buffer.concat([Buffer.from(type), length, bytes])
}
const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
const LOGGED_IN = Buffer.concat([
  message('R', number(0)),
  message('S', 'server_version\0' + '18.0\0'),
  message('K', Buffer.concat([number(1), number(2)])),
  message('Z', 'I'),
])
const http = (headers: string, body: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${headers}\r\n\r\n`), Buffer.from(body as string)])
const json = (value: unknown): Buffer => {
  const text = JSON.stringify(value)
  return http(`content-type: application/json\r\ncontent-length: ${text.length}`, text)
}

/** What is sent after the first bytes of a client, and if the connection is closed then. */
type Answer = (socket: Socket) => void
const send =
  (...pieces: Buffer[]): Answer =>
  (socket) => {
    for (const piece of pieces) socket.write(piece)
    socket.end()
  }
/** For a client that asks for TLS first, the bytes come after the refusal. */
const sendOpen =
  (piece: Buffer): Answer =>
  (socket) =>
    void socket.write(piece)

/** Sends for as long as the client reads. */
const endless =
  (first: Buffer, piece: Buffer): Answer =>
  (socket) => {
    socket.write(first)
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece));
    }
    socket.on('drain', more)
    more()
  }

const ROW = message('D', Buffer.concat([Buffer.from([0, 1]), number(3), Buffer.from('abc')]))
const COLUMN = message('T', Buffer.concat([Buffer.from([0, 1]), Buffer.from('x\0'), Buffer.alloc(18)]))

const ANSWERS: Readonly<Record<string, Answer>> = {
  closed: (socket) => void socket.end(),
  reset: (socket) => void socket.resetAndDestroy(),
  silent: () => undefined,
  random: (socket) => send(randomBytes(2_000))(socket),
  'endless random': endless(randomBytes(100), randomBytes(65_536)),
  'TLS refused by text': send(Buffer.from('S'), randomBytes(500)),
  'a huge length': sendOpen(Buffer.concat([Buffer.from('R'), number(0xffffffff), randomBytes(100)])),
  'a length of zero': sendOpen(Buffer.concat([Buffer.from('R'), number(0), randomBytes(100)])),
  'SCRAM without its fields': sendOpen(
    Buffer.concat([message('R', Buffer.concat([number(11), Buffer.from('nothing')])), message('Z', 'I')]),
  ),
  'SCRAM with endless work': sendOpen(
    Buffer.concat([
      message('R', Buffer.concat([number(10), Buffer.from('SCRAM-SHA-256\0\0')])),
      message('R', Buffer.concat([number(11), Buffer.from('r=a,s=YWJj,i=2000000000')])),
    ]),
  ),
  'unknown authentication': sendOpen(message('R', number(77))),
  'an error without fields': sendOpen(message('E', 'x')),
  'logged in and closed': send(LOGGED_IN),
  'logged in and a row': sendOpen(Buffer.concat([LOGGED_IN, ROW, message('C', 'SELECT 1\0'), message('Z', 'I')])),
  'logged in and endless rows': endless(
    Buffer.concat([LOGGED_IN, COLUMN]),
    Buffer.concat(Array.from({ length: 5_000 }, () => ROW)),
  ),
  'logged in and COPY': sendOpen(Buffer.concat([LOGGED_IN, message('H', Buffer.from([0, 0, 0]))])),
  'HTTP without an end': endless(http('content-type: text/plain', ''), Buffer.from('a 1\n'.repeat(10_000))),
  'HTTP that is cut off': send(http('content-length: 100000', '{"status":"succ')),
  'HTTP that is no JSON': send(http('content-length: 4', 'oops')),
  'JSON null': send(json(null)),
  'JSON array': send(json([[[]]])),
  'JSON of wrong types': send(
    json({ status: 'success', data: { resultType: 'vector', result: [{ metric: null, value: [{}, []] }, 7] } }),
  ),
  'JSON without data': send(json({ status: 'success', keys: 'x', dashboard: [], meta: 3 })),
  'JSON with a string': send(json({ status: 'success', data: 'x', keys: [null, { kid: 7 }] })),
  'metrics of wrong types': send(
    http('content-length: 61', 'x_bucket{le="+Inf"} NaN\nx_bucket{le="a"} -1e400\nx_count {} {}\n\0'),
  ),
}

export async function startGarbageServer(): Promise<GarbageServer> {
  const answers = new Map<string, number>()
  const kinds = Object.entries(ANSWERS)
  const sockets = new Set<Socket>()
  let next = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    const [kind, answer] = kinds[next++ % kinds.length]!
    socket.once('data', () => {
      answers.set(kind, (answers.get(kind) ?? 0) + 1)
      answer(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    answers,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const GARBAGE_KINDS: readonly string[] = Object.keys(ANSWERS)
