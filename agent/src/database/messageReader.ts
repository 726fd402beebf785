import type { Socket } from 'node:net'
import { closedError } from './openSocket.ts'
import { createMessageFramer, forEachMessage } from './protocol.ts'

export interface Message {
  readonly type: string
  readonly body: Buffer
  /** With its header. */
  readonly bytes: Buffer
}

/** Reads the messages of a server one by one, until `forward` takes over. */
export interface MessageReader {
  /** @throws the error of the socket, that of `fail`, or ProtocolError */
  next(): Promise<Message>
  /** Ends the reading with this error. */
  fail(error: Error): void
  /** From now on the function gets whole messages as they arrive, and `ended` the end of the socket. */
  forward(handle: (bytes: Buffer) => void, ended: (error: Error | null) => void): void
}

export function createMessageReader(socket: Socket): MessageReader {
  const framer = createMessageFramer()
  const messages: Message[] = []
  let failure: Error | null = null
  let wake: () => void = () => undefined
  let handle: (bytes: Buffer) => void = (bytes) => {
    forEachMessage(bytes, (type, body, whole) => messages.push({ type, body, bytes: whole }))
    wake()
  }
  let ended: (error: Error | null) => void = (error) => {
    failure ??= error ?? closedError()
    wake()
  }
  socket.on('data', (chunk: Buffer) => {
    try {
      const bytes = framer.add(chunk)
      if (bytes.length > 0) handle(bytes)
    } catch (error) {
      socket.destroy(error as Error)
    }
  })
  socket.on('error', (error) => ended(error))
  socket.on('close', () => ended(null))
  return {
    async next() {
      for (;;) {
        const message = messages.shift()
        if (message !== undefined) return message
        if (failure !== null) throw failure
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    fail(error) {
      failure ??= error
      wake()
    },
    forward(next, end) {
      handle = next
      ended = end
      for (const { bytes } of messages.splice(0)) next(bytes)
      if (failure !== null) end(failure)
    },
  }
}
