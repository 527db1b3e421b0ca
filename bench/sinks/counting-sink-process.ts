// A stub of a push service that accepts and counts every request on any path, and answers after a set delay. It reads
// frames but no header fields, because it has to be cheaper than the sender. Tests check the requests themselves.
import { createServer, type TLSSocket } from 'node:tls'
import * as v from 'valibot'
import { ByteWriter } from '../../src/http2/frames/byte-writer.ts'
import { writePing, writeSettings, writeSettingsAck, writeWindowUpdate } from '../../src/http2/frames/control-frames.ts'
import { DEFAULT_WINDOW_BYTES, FLAG, FRAME, MAX_INT31, SETTING } from '../../src/http2/frames/frame-constants.ts'
import { FrameReader } from '../../src/http2/frames/frame-reader.ts'
import { Order, type Report, SinkOptions } from './messages.ts'

const PREFACE_BYTES = 24
/** The number of received bytes after which the connection's window is enlarged again. */
const WINDOW_STEP_BYTES = 16 * 2 ** 20
/** RFC 7541: the indexed field `:status: 200`, and the index of `:status` for a literal that is not indexed. */
const STATUS_200 = 0x88
const STATUS_NAME = 0x08

const options = v.parse(SinkOptions, JSON.parse(process.argv[2] ?? ''))
const answer = Buffer.from(options.answer)
const fields = encodeFields()
const watched = new Set<string>()
let requests = 0
let connections = 0
let timesMs: number[] = []
let lastMs = 0

/** RFC 7541 section 6.2.2: literals that are not indexed, without Huffman. */
function encodeFields(): Buffer {
  const out = new ByteWriter()
  const writeText = (text: string) => {
    out.uint8(text.length)
    out.ascii(text)
  }
  for (const [name, value] of Object.entries(options.headers)) {
    out.uint8(0)
    writeText(name)
    writeText(value)
  }
  return out.take()
}

function report(message: Report): void {
  process.send?.(message)
}

function writeAnswer(out: ByteWriter, streamId: number): void {
  const headers = out.beginFrame()
  if (options.status === 200) out.uint8(STATUS_200)
  else {
    out.uint8(STATUS_NAME)
    out.uint8(3)
    out.ascii(String(options.status))
  }
  out.bytes(fields)
  const hasBody = answer.length > 0
  out.endFrame(headers, FRAME.headers, FLAG.endHeaders | (hasBody ? 0 : FLAG.endStream), streamId)
  if (!hasBody) return
  const data = out.beginFrame()
  out.bytes(answer)
  out.endFrame(data, FRAME.data, FLAG.endStream, streamId)
}

function lookForWatched(body: Buffer): void {
  for (const text of watched) {
    if (!body.includes(text)) continue
    watched.delete(text)
    report({ kind: 'arrived', text, atMs: Number(process.hrtime.bigint()) / 1e6 })
  }
}

function recordTime(body: Buffer): void {
  const at = body.indexOf(options.timeMark)
  if (at < 0) return
  const from = at + options.timeMark.length
  lastMs = Number(process.hrtime.bigint()) / 1e6
  timesMs.push(lastMs - Number(body.toString('latin1', from, body.indexOf('"', from))))
}

/** Sends the written bytes, at once or after the delay. */
function send(socket: TLSSocket, out: ByteWriter, delayMs: number): void {
  if (out.length === 0) return
  const bytes = out.take()
  if (delayMs === 0) socket.write(bytes)
  else setTimeout(() => socket.write(bytes), delayMs)
}

function serve(socket: TLSSocket): void {
  connections++
  // Without it, answers would wait for the client's TCP acknowledgements.
  socket.setNoDelay(true)
  const [control, answers] = [new ByteWriter(), new ByteWriter()]
  let prefaceLeft = PREFACE_BYTES
  let used = 0
  writeSettings(control, [
    [SETTING.maxConcurrentStreams, options.maxStreams],
    [SETTING.initialWindowSize, MAX_INT31],
  ])
  writeWindowUpdate(control, 0, MAX_INT31 - DEFAULT_WINDOW_BYTES)
  send(socket, control, 0)
  const reader = new FrameReader({
    onFrame: (type, flags, streamId, bytes, from, end) => {
      if (type === FRAME.data) {
        used += end - from
        if (watched.size > 0) lookForWatched(bytes.subarray(from, end))
        if (options.timeMark !== '') recordTime(bytes.subarray(from, end))
      } else if (type === FRAME.settings) {
        if ((flags & FLAG.ack) === 0) writeSettingsAck(control)
      } else if (type === FRAME.ping) {
        if ((flags & FLAG.ack) === 0) writePing(control, FLAG.ack, bytes.subarray(from, end))
      }
      if ((type !== FRAME.data && type !== FRAME.headers) || (flags & FLAG.endStream) === 0) return
      requests++
      writeAnswer(answers, streamId)
    },
  })
  socket.on('data', (chunk: Buffer) => {
    const skipped = Math.min(prefaceLeft, chunk.length)
    prefaceLeft -= skipped
    reader.read(chunk.subarray(skipped))
    if (used >= WINDOW_STEP_BYTES) {
      writeWindowUpdate(control, 0, used)
      used = 0
    }
    send(socket, control, 0)
    send(socket, answers, options.delayMs)
  })
  // A client may disconnect at any time; its requests are counted.
  socket.on('error', () => undefined)
}

const server = createServer({ cert: options.cert, key: options.key, ALPNProtocols: ['h2'] }, serve)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  report({ kind: 'listening', port: typeof address === 'object' && address ? address.port : 0 })
})
process.on('message', (message) => {
  const order = v.parse(Order, message)
  switch (order.kind) {
    case 'count':
      return report({ kind: 'count', requests, connections })
    case 'countTimes':
      return report({ kind: 'timeCount', count: timesMs.length })
    case 'takeTimes':
      report({ kind: 'times', timesMs, lastMs })
      timesMs = []
      return
    case 'watch':
      watched.add(order.text)
      return report({ kind: 'watching', text: order.text })
  }
})
// Ends with its parent.
process.once('disconnect', () => process.exit())
