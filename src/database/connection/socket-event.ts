import type { Socket } from 'node:net'

/**
 * Resolves to the argument of the next `event` of a socket. Destroys the socket and rejects if it fails or closes, or
 * if `signal` aborts.
 * @param explain makes the error of the rejection; `code` is that of Node
 */
export function waitForSocket(
  socket: Socket,
  event: 'connect' | 'data' | 'secureConnect',
  signal: AbortSignal,
  explain: (error: Error, code: string) => Error,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end = () => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose)
      signal.removeEventListener('abort', onAbort)
    }
    const fail = (error: Error, code: string) => {
      end()
      // A later error of the socket has no other listener.
      socket.on('error', () => undefined).destroy()
      reject(explain(error, code))
    }
    const onEvent = (argument: unknown) => {
      end()
      resolve(argument)
    }
    const onError = (error: Error) => fail(error, codeOf(error))
    const onClose = () => fail(new Error('the connection was closed'), 'ECONNRESET')
    const onAbort = () => fail(new Error('there was no answer in time'), 'ETIMEDOUT')
    socket.once(event, onEvent).once('error', onError).once('close', onClose)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'ECONNRESET'
}
