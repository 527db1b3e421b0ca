import type { Queue } from '../../src/queue/queue.ts'
import { readValue } from '../../src/sends/target-line.ts'
import { readLines } from '../queue/make-batch.ts'
import type { ServerReport } from './verdict.ts'

const PAGE = 1000

/** What the metrics page at `url` and the queue say about the one send that there was; `targetOf`: of a token. */
export async function readServerReport(
  url: string,
  queue: Queue,
  targetOf: (token: string) => string,
): Promise<ServerReport> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const counted = new Map<string, number>()
  let givenUp = 0
  for (const { name, labels, value } of parseMetrics(metrics)) {
    const reason = labels.get('err_code') ?? ''
    if (name === 'centrifugo_push_notification_count') counted.set(reason, (counted.get(reason) ?? 0) + value)
    if (name === 'centripush_push_unsent_count') givenUp += value
  }
  return { counted, givenUp, deadLetters: (await listDeadTokens(queue)).map(targetOf) }
}

function* parseMetrics(text: string): Iterable<{ name: string; labels: ReadonlyMap<string, string>; value: number }> {
  for (const line of text.split('\n')) {
    const [, name = '', list = '', value = ''] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? []
    const labels = new Map([...list.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text]))
    if (name !== '') yield { name, labels, value: Number(value) }
  }
}

async function listDeadTokens(queue: Queue): Promise<string[]> {
  const tokens: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await queue.listDeadLetters({}, PAGE, after)
    for (const letter of page) tokens.push(...readLines(letter).split('\n').map(readValue))
    after = page.at(-1)?.id
    if (page.length < PAGE) return tokens
  }
}
