// POST /api/batch. Without a push command it goes up as it came. A mixed one is decoded whole, then its steps run in
// order, or all at once when it is parallel; the replies stand in the order of the commands either way.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type BatchCommand, encodeBatch, encodeBatchReplies, parseBatch, parseBatchReplies } from '../protocol/batch.ts'
import { type ApiErrorName, encodeApiError } from '../protocol/errors.ts'
import { DecodeError } from '../protocol/wire-types.ts'
import { readBody } from '../upstream/body.ts'
import { answerJson, answerText } from './answer.ts'
import type { ApiDeps } from './api-deps.ts'
import { type BatchStep, hasPushCommand, methodOf, planBatch } from './batch-plan.ts'
import { runCall } from './run-call.ts'
import { askUpstream } from './upstream-run.ts'

const PATH = '/api/batch'
/** Steps of a parallel batch that run at once, as many as a node lets: a body of 64 MiB can hold a million. */
const MAX_PARALLEL = 1024

/** Answers a batch. @throws BodyTooLargeError */
export async function handleBatch(deps: ApiDeps, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const body = await readBody(incoming, deps.maxRequestBytes)
  try {
    const batch = parseBatch(body)
    if (!deps.upstream || hasPushCommand(batch, deps.methods)) {
      const replies = await runSteps(deps, planBatch(batch, deps.methods), batch.parallel)
      answerJson(outgoing, encodeBatchReplies(replies))
      return
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    deps.logger.info({ method: 'batch', why: error.message }, 'api: request does not decode')
    answerText(outgoing, 400, 'Bad Request')
    return
  }
  await deps.upstream.forward(incoming, outgoing, PATH, body)
}

async function runSteps(deps: ApiDeps, steps: BatchStep[], parallel: boolean): Promise<Buffer[]> {
  const together = parallel ? MAX_PARALLEL : 1
  const replies: Buffer[] = []
  for (let at = 0; at < steps.length; at += together) {
    const some = steps.slice(at, at + together)
    for (const reply of await Promise.all(some.map((step) => runStep(deps, step, parallel)))) replies.push(...reply)
  }
  return replies
}

async function runStep(deps: ApiDeps, step: BatchStep, parallel: boolean): Promise<Buffer[]> {
  if (step.kind === 'push') {
    const reply = await runCall(step.call, step.method, deps.logger)
    return [Buffer.from('error' in reply ? encodeError(reply.error) : `{"${step.method}":${reply.result}}`)]
  }
  const { commands } = step
  if (!deps.upstream) return commands.map((command) => Buffer.from(encodeError(errorWithoutNode(deps, command))))
  return askUpstream(
    deps.upstream,
    {
      path: PATH,
      body: encodeBatch(
        commands.map(({ text }) => text),
        parallel,
      ),
      parseReplies: (answer) => parseBatchReplies(answer, commands.length),
      encodeErrors: (kind) => commands.map(() => Buffer.from(encodeError(kind))),
    },
    deps.logger,
  )
}

/** What a command is answered with that needs a node when none is configured: what is wrong with it comes first. */
function errorWithoutNode({ methods }: ApiDeps, command: BatchCommand): ApiErrorName {
  if (!command.params) return 'badRequest'
  return methodOf(command, methods) ? 'notAvailable' : 'notFound'
}

function encodeError(kind: ApiErrorName): string {
  return `{"error":${encodeApiError(kind)}}`
}
