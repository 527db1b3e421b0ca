import { Hono } from 'hono'
import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import { type Preview, previewSend } from '../../preview/preview-send.ts'
import { ApiError } from '../../protocol/errors.ts'
import { readSend } from '../../push/read-send.ts'
import type { DeviceFilter } from '../../sends/recipient.ts'
import type { AdminContext, AdminEnvironment } from '../admin-environment.ts'
import { need, type PageDeps } from '../admin-sources.ts'
import { answerPage } from '../layout/answer-page.ts'
import { makeLink, readUi } from '../layout/ui.ts'
import { readForm } from '../read-form.ts'
import { acceptRequest, decodeRequest } from './accept-request.ts'
import { CheckPage, LARGE_DEVICES } from './check-page.tsx'
import { DraftState } from './draft-state.tsx'
import { NewPushPage } from './new-push-page.tsx'
import { makeRequest, type PushDraft, readDraft, readFilter } from './push-draft.ts'

/** The pages that write, check and send a push. */
export function makeNewPushRoutes({ base, sources, actions }: PageDeps): Hono<AdminEnvironment> {
  const routes = new Hono<AdminEnvironment>()
  const { accept, sandboxes } = sources
  const enabled = PROVIDER_NAMES.filter((name) => accept.providers.has(name))

  const showForm = (context: AdminContext, draft: PushDraft, problems: readonly string[]) =>
    answerPage(
      context,
      <NewPushPage ui={readUi(context, base)} draft={draft} problems={problems} sandboxes={sandboxes} />,
      problems.length === 0 ? 200 : 400,
    )

  routes.get('/new-push', (context) => {
    if (context.get('session').role !== 'admin') throw new ApiError('notFound', 'A viewer sends nothing.')
    return showForm(
      context,
      readDraft((name) => context.req.query(name)),
      [],
    )
  })

  routes.post('/new-push/edit', async (context) => showForm(context, readDraft((await readForm(context)).raw), []))

  /** The request of a draft as the API takes it, or what is wrong with it. */
  const readRequest = (draft: PushDraft): { json: string; filter: DeviceFilter } | { problems: string[] } => {
    try {
      const result = makeRequest(draft, enabled)
      if ('problems' in result) return result
      const json = JSON.stringify(result.request)
      readSend(decodeRequest(json), accept)
      return { json, filter: result.filter }
    } catch (error) {
      return { problems: [describeProblem(error)] }
    }
  }

  // The script of the page asks for this while the form is filled in.
  routes.post('/new-push/state', async (context) => {
    const draft = readDraft((await readForm(context)).raw)
    const result = readRequest(draft)
    const filter = 'filter' in result ? result.filter : tryFilter(draft)
    const count = filter && (await countDevices(filter))
    return context.html(String(<DraftState count={count} problems={'problems' in result ? result.problems : []} />))
  })

  routes.post('/new-push/check', async (context) => {
    const draft = readDraft((await readForm(context)).raw)
    const result = readRequest(draft)
    if ('problems' in result) return await showForm(context, draft, result.problems)
    const { json, filter } = result
    const count = await countDevices(filter)
    const device = draft.device === '' ? await findDevice(filter) : draft.device
    const preview = device === undefined ? undefined : await tryPreview(json, device)
    const props = { ui: readUi(context, base), draft, json, count, device, preview, sandboxes }
    return await answerPage(context, <CheckPage {...props} />)
  })

  routes.post('/new-push/send', async (context) => {
    const form = await readForm(context)
    const request = decodeRequest(form.raw('request'))
    const send = readSend(request, accept)
    const count = send.recipient.kind === 'filter' ? await countDevices(send.recipient.filter) : 0
    const typed = Number(form.text('count').replaceAll(',', ''))
    if (count >= LARGE_DEVICES && typed !== Number(form.text('expected'))) {
      throw new ApiError('badRequest', `The push goes to ${count} devices. Type their number to send it.`)
    }
    const uid = await actions.run(
      context.get('actor'),
      { action: 'send push', target: send.uid, detail: `to about ${count} devices` },
      () => acceptRequest(accept, JSON.parse(form.raw('request'))),
    )
    return context.redirect(makeLink(base, '/send', { uid, notice: 'sent' }), 303)
  })

  const countDevices = async (filter: DeviceFilter): Promise<number> => (await listOne(filter, true)).totalCount ?? 0

  const findDevice = async (filter: DeviceFilter): Promise<string | undefined> =>
    (await listOne(filter, false)).items[0]?.id

  const listOne = (filter: DeviceFilter, includeTotalCount: boolean) =>
    need(sources.devices).list({
      filter,
      include: { topics: false, meta: false, webPushKeys: false },
      includeTotalCount,
      cursor: '',
      limit: 1,
    })

  /** A device that is not registered is a problem of the preview only. */
  const tryPreview = async (json: string, device: string): Promise<Preview | string> => {
    try {
      return await previewSend(need(sources.preview), decodeRequest(json), device)
    } catch (error) {
      return describeProblem(error)
    }
  }

  return routes
}

/** A recipient that can't be read is named among the problems of the draft. */
function tryFilter(draft: PushDraft): DeviceFilter | undefined {
  try {
    return readFilter(draft)
  } catch (error) {
    describeProblem(error)
    return undefined
  }
}

/** What the writer of a push did wrong. @throws the error if it is none of the writer's */
function describeProblem(error: unknown): string {
  if (error instanceof ApiError && error.kind !== 'internal') return error.message
  throw error
}
