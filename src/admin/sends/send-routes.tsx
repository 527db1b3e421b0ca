import { Hono } from 'hono'
import { listPushEvents } from '../../methods/push-events.ts'
import { loadPushReport } from '../../methods/push-info.ts'
import { listPushReports } from '../../methods/push-list.ts'
import { ApiError } from '../../protocol/errors.ts'
import { cancelSend } from '../../push/cancel.ts'
import type { AdminContext, AdminEnvironment } from '../admin-environment.ts'
import type { PageDeps } from '../admin-sources.ts'
import { answerPage } from '../layout/answer-page.ts'
import { makeLink, readUi } from '../layout/ui.ts'
import { answerEvents } from '../live/answer-events.ts'
import { renderPart } from '../live/render-part.ts'
import { readForm } from '../read-form.ts'
import { type SendFields, SendListPage, SendRows } from './send-list-page.tsx'
import { SendPage } from './send-page.tsx'
import { SendState } from './send-state.tsx'

const PAGE_SENDS = 50
const PAGE_ROWS = 50

/** The pages of sends. */
export function makeSendRoutes({ base, sources, actions, live }: PageDeps): Hono<AdminEnvironment> {
  const { queue } = sources
  const routes = new Hono<AdminEnvironment>()
  const list = (fields: SendFields, cursor: string) =>
    listPushReports(queue, {
      states: fields.state === '' ? [] : [fields.state],
      uid_prefix: fields.uid,
      accepted_from: readTime('from', fields.from),
      accepted_to: readTime('to', fields.to),
      cursor,
      limit: PAGE_SENDS,
    })

  routes.get('/sends', async (context) => {
    const fields = readFields(context)
    const cursor = context.req.query('cursor') ?? ''
    const page = await list(fields, cursor)
    return answerPage(
      context,
      <SendListPage ui={readUi(context, base)} fields={fields} page={page} isFirst={cursor === ''} />,
    )
  })

  routes.get('/sends/events', (context) => {
    const fields = readFields(context)
    const ui = { link: (path: string, query = {}) => makeLink(base, path, query) }
    return answerEvents(context, live, `sends ${JSON.stringify(fields)}`, async () => [
      await renderPart('send-rows', <SendRows ui={ui} reports={(await list(fields, '')).reports} />),
    ])
  })

  routes.get('/send', async (context) => {
    const uid = context.req.query('uid') ?? ''
    const report = await loadPushReport(queue, { uid })
    const [stored, letters, letterCount, events] = await Promise.all([
      queue.loadSend(uid),
      queue.listDeadLetters({ uid }, PAGE_ROWS),
      queue.countDeadLetters({ uid }),
      sources.events ? listPushEvents(sources.events, ofSend(report.analyticsUid)) : undefined,
    ])
    return answerPage(
      context,
      <SendPage
        ui={readUi(context, base)}
        report={report}
        content={stored?.content}
        letters={letters}
        letterCount={letterCount}
        events={events?.events ?? []}
      />,
    )
  })

  routes.get('/send/events', (context) => {
    const uid = context.req.query('uid') ?? ''
    return answerEvents(context, live, `send ${uid}`, async () => [
      await renderPart('send-state', <SendState report={await loadPushReport(queue, { uid })} />),
    ])
  })

  routes.post('/send/cancel', async (context) => {
    const form = await readForm(context)
    const request = { uid: form.raw('uid'), user: form.text('user'), device_id: form.text('device') }
    const isPart = form.text('isPart') === '1'
    // Without both, the whole send would be cancelled.
    if (isPart && request.user === '' && request.device_id === '') {
      throw new ApiError('badRequest', 'user, device: one of them is needed')
    }
    const detail = isPart ? [request.user && `user ${request.user}`, request.device_id].filter(Boolean).join(', ') : ''
    await actions.run(context.get('actor'), { action: 'cancel send', target: request.uid, detail }, () =>
      cancelSend(queue, request),
    )
    const notice = isPart ? 'excluded' : 'cancelled'
    return context.redirect(makeLink(base, '/send', { uid: request.uid, notice }), 303)
  })

  return routes
}

function readFields(context: AdminContext): SendFields {
  const text = (name: string) => context.req.query(name)?.trim() ?? ''
  return { state: text('state'), uid: text('uid'), from: text('from'), to: text('to') }
}

/** A time of a form in UTC as Unix time in seconds; 0 if it is empty. */
function readTime(field: string, text: string): number {
  if (text === '') return 0
  const ms = Date.parse(`${text}Z`)
  if (Number.isNaN(ms)) throw new ApiError('badRequest', `${field}: expected a time such as 2026-11-29T14:30`)
  return Math.floor(ms / 1000)
}

function ofSend(uid: string) {
  return { uid, device_id: '', user: '', include_attempts: true, cursor: '', limit: PAGE_ROWS }
}
