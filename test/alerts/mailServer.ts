import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Mail {
  readonly to: string
  readonly subject: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export interface MailServer {
  /** host:port, as Grafana's smtp.host. */
  readonly address: string
  readonly mails: readonly Mail[]
}

/** Starts a minimal SMTP server that stores the received mail. It ends with the test. */
export async function startMailServer(): Promise<MailServer> {
  const mails: Mail[] = []
  const server = createServer((socket) => receive(socket, (mail) => mails.push(mail)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { address: `127.0.0.1:${(server.address() as { port: number }).port}`, mails }
}

function receive(socket: Socket, keep: (mail: Mail) => void): void {
  let to = ''
  let data: string[] | null = null
  let rest = ''
  const answer = (line: string): void => void socket.write(`${line}\r\n`)
  socket.on('error', () => undefined)
  answer('220 test')
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\r\n')
    rest = lines.pop()!
    for (const line of lines) {
      if (data !== null) {
        if (line !== '.') {
          data.push(line)
          continue
        }
        const subject = data.find((header) => /^Subject:/i.test(header)) ?? ''
        keep({ to, subject: subject.slice('Subject:'.length).trim(), at: Date.now() })
        data = null
        answer('250 kept')
      } else if (/^EHLO|^HELO|^MAIL|^RSET|^NOOP/i.test(line)) answer('250 ok')
      else if (/^RCPT/i.test(line)) {
        to = /<+([^<>]*)>/.exec(line)?.[1] ?? ''
        answer('250 ok')
      } else if (/^DATA/i.test(line)) {
        data = []
        answer('354 go on')
      } else if (/^QUIT/i.test(line)) {
        answer('221 bye')
        socket.end()
      } else answer('502 unknown')
    }
  })
}
