// The batch request: `{"commands":[{"publish":{…}},{"device_register":{…}}],"parallel":true}`. The name of a command's
// field is its method.
import { type JsonText, parseJsonText } from '../json/json-text.ts'
import { DecodeError, decoding } from './decode-message.ts'
import { foldCase } from './wire-types.ts'

/**
 * The most commands of one batch. 64 MiB can contain 20 million empty commands, and a process lacks the memory for so
 * many.
 */
const MAX_COMMANDS = 100_000
/** Fields of a batch or of one of its commands, unknown ones included: more than there are methods. */
const MAX_FIELDS = 1000

/** A command of a batch: its bytes, and its params by method. A field that is null is not set. */
export interface BatchCommand {
  text: JsonText
  /** The params by the name of their field, which is the method; undefined for a command that is null. */
  params: ReadonlyMap<string, JsonText> | undefined
}

/** A batch request with its commands. Their params are not decoded yet. */
export interface Batch {
  commands: BatchCommand[]
  parallel: boolean
}

/** Reads a batch request without decoding the params of its commands. @throws DecodeError */
export function parseBatch(body: Buffer): Batch {
  return decoding(() => readBatch(parseJsonText(body)))
}

function readBatch(text: JsonText): Batch {
  if (text.kind === 'null') return { commands: [], parallel: false }
  const fields = readFields(text, 'body')
  const commands = fields.get('commands')
  const parallel = fields.get('parallel')
  if (commands && commands.kind !== 'array')
    throw new DecodeError(`commands: expected a list but found ${commands.kind}`)
  if (parallel && parallel.kind !== 'boolean') {
    throw new DecodeError(`parallel: expected a boolean but found ${parallel.kind}`)
  }
  return {
    commands: commands ? readCommands(commands) : [],
    parallel: parallel?.bytes.length === 'true'.length,
  }
}

function readCommands(list: JsonText): BatchCommand[] {
  const commands: BatchCommand[] = []
  for (const text of list.items()) {
    if (commands.length === MAX_COMMANDS) throw new DecodeError(`commands: more than ${MAX_COMMANDS}`)
    commands.push({ text, params: text.kind === 'null' ? undefined : readFields(text, 'commands') })
  }
  return commands
}

/** Makes a batch request of these commands, with their bytes unchanged. */
export function encodeBatch(commands: readonly JsonText[], parallel: boolean): Buffer {
  const joined = joinBytes(
    commands.map((command) => command.bytes),
    ',',
  )
  return Buffer.concat([Buffer.from('{"commands":['), joined, Buffer.from(parallel ? '],"parallel":true}' : ']}')])
}

/** The replies in the answer to a batch; undefined if the answer is not `{"replies":[…]}` with `count` replies. */
export function parseBatchReplies(answer: Buffer, count: number): Buffer[] | undefined {
  try {
    const replies = decoding(() => [...(readFields(parseJsonText(answer), 'answer').get('replies')?.items() ?? [])])
    return replies.length === count ? replies.map((reply) => reply.bytes) : undefined
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

/** Makes the answer to a batch. Without replies it is `{}`, as a node answers. */
export function encodeBatchReplies(replies: readonly Buffer[]): Buffer {
  if (replies.length === 0) return Buffer.from('{}')
  return Buffer.concat([Buffer.from('{"replies":['), joinBytes(replies, ','), Buffer.from(']}')])
}

/** Concatenates the parts, with `separator` between them. */
export function joinBytes(parts: readonly Buffer[], separator: string): Buffer {
  const between = Buffer.from(separator)
  return Buffer.concat(parts.flatMap((part, index) => (index === 0 ? [part] : [between, part])))
}

/**
 * Reads the fields of an object by their folded names, without those that are null. Of two fields with one name the
 * last one counts.
 * @throws DecodeError, JsonLimitError
 */
function readFields(text: JsonText, what: string): Map<string, JsonText> {
  if (text.kind !== 'object') throw new DecodeError(`${what}: expected an object but found ${text.kind}`)
  const fields = new Map<string, JsonText>()
  for (const [name, value] of text.fields()) {
    if (value.kind === 'null') continue
    fields.set(foldCase(name), value)
    if (fields.size > MAX_FIELDS) throw new DecodeError(`${what}: more than ${MAX_FIELDS} fields`)
  }
  return fields
}
