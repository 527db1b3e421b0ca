import { Hono } from 'hono'
import { isProviderName, PROVIDER_NAMES, type ProviderName } from '../../config/provider-names.ts'
import { checkText } from '../../devices/field-checks.ts'
import { ApiError } from '../../protocol/errors.ts'
import type { DeadLetterFilter } from '../../queue/dead-letter.ts'
import type { AdminEnvironment } from '../admin-environment.ts'
import type { PageDeps } from '../admin-sources.ts'
import { answerPage } from '../layout/answer-page.ts'
import { makeLink, readUi } from '../layout/ui.ts'
import { answerEvents } from '../live/answer-events.ts'
import { renderPart } from '../live/render-part.ts'
import { type Form, readForm } from '../read-form.ts'
import { QueuePage } from './queue-page.tsx'
import { QueueState } from './queue-state.tsx'

const PAGE_LETTERS = 50
const MAX_REASON_BYTES = 500
const MAX_UID_BYTES = 256

/** The page of the queue: its work, the pauses of providers, and dead letters. */
export function makeQueueRoutes({ base, sources, actions, live }: PageDeps): Hono<AdminEnvironment> {
  const { queue } = sources
  const routes = new Hono<AdminEnvironment>()

  routes.get('/queue', async (context) => {
    const filter = readLetterFilter((name) => context.req.query(name))
    const after = context.req.query('after')
    const [stats, letters, count] = await Promise.all([
      queue.stats(),
      queue.listDeadLetters(
        filter,
        PAGE_LETTERS,
        after !== undefined && /^[\d-]{1,40}$/.test(after) ? after : undefined,
      ),
      queue.countDeadLetters(filter),
    ])
    const next = letters.length === PAGE_LETTERS ? letters.at(-1)?.id : undefined
    const props = { ui: readUi(context, base), stats, filter, letters, count, isFirst: after === undefined, next }
    return answerPage(context, <QueuePage {...props} />)
  })

  routes.get('/queue/events', (context) =>
    answerEvents(context, live, 'queue', async () => [
      await renderPart('queue-state', <QueueState stats={await queue.stats()} />),
    ]),
  )

  routes.post('/queue/pause', async (context) => {
    const form = await readForm(context)
    const provider = readProvider(form)
    const reason = checkText('reason', form.text('reason'), MAX_REASON_BYTES)
    if (reason === '') throw new ApiError('badRequest', 'reason: is needed, so that others know why')
    await actions.run(context.get('actor'), { action: 'pause provider', target: provider, detail: reason }, () =>
      queue.pause(provider, reason, undefined),
    )
    return context.redirect(makeLink(base, '/queue', { notice: 'paused' }), 303)
  })

  routes.post('/queue/resume', async (context) => {
    const provider = readProvider(await readForm(context))
    await actions.run(context.get('actor'), { action: 'resume provider', target: provider }, () =>
      queue.resume(provider),
    )
    return context.redirect(makeLink(base, '/queue', { notice: 'resumed' }), 303)
  })

  for (const { path, verb, change, notice } of LETTER_CHANGES) {
    routes.post(path, async (context) => {
      const form = await readForm(context)
      const filter = readLetterFilter(form.text)
      const ids = form.list('id')
      // An empty selection is all dead letters, so the form says so.
      if (ids.length === 0 && Object.keys(filter).length === 0 && form.text('all') !== '1') {
        throw new ApiError('badRequest', 'Nothing is selected.')
      }
      const { uid, provider } = filter
      const detail = [uid && `uid ${uid}`, provider, ids.length > 0 && `ids ${ids.join(' ')}`]
        .filter(Boolean)
        .join(', ')
      const targets = await actions.run(
        context.get('actor'),
        { action: `${verb} dead letters`, target: uid ?? '', detail: detail || 'all' },
        () => queue[change]({ ...filter, ...(ids.length > 0 && { ids }) }),
        (count) => `${count} targets`,
      )
      return context.redirect(makeLink(base, '/queue', { uid, provider, notice, count: targets }), 303)
    })
  }
  return routes
}

const LETTER_CHANGES = [
  { path: '/queue/retry', verb: 'retry', change: 'retryDeadLetters', notice: 'retried' },
  { path: '/queue/drop', verb: 'drop', change: 'deleteDeadLetters', notice: 'dropped' },
] as const

/** Reads which dead letters are meant. */
function readLetterFilter(read: (name: string) => string | undefined): DeadLetterFilter {
  const uid = checkText('uid', read('uid')?.trim() ?? '', MAX_UID_BYTES)
  const provider = PROVIDER_NAMES.find((name) => name === read('provider'))
  return { ...(uid !== '' && { uid }), ...(provider && { provider }) }
}

function readProvider(form: Form): ProviderName {
  const provider = form.text('provider')
  if (!isProviderName(provider)) throw new ApiError('badRequest', 'provider: is unknown')
  return provider
}
