// The admin web UI of centripush and the endpoint of its API, at the paths that a node has below its prefix.
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import type { AdminUi } from '../admin/admin-app.tsx'
import { emptyBody } from './answer.ts'
import { failRequest, type NodeEnvironment } from './api.ts'
import type { ApiDeps } from './api-deps.ts'
import { handleLegacy, LEGACY_PATH } from './handle-legacy.ts'
import { receiveBody } from './receive-body.ts'

/** The parts of the admin web UI on a port. */
export interface AdminMount {
  ui: AdminUi
  /** Answers `/admin/api`. */
  api: ApiDeps
}

/** Makes the routes of the admin web UI. `/admin/api` takes legacy commands, with a token of `/admin/auth`. */
export function makeAdminMount({ ui, api }: AdminMount): Hono<NodeEnvironment> {
  const mount = new Hono<NodeEnvironment>()
  mount.all(`${ui.base}/api`, async ({ env, body }) => {
    const { incoming, outgoing } = env
    if (!(await ui.mayUseApi(incoming))) return body(null, 401, emptyBody(incoming.method))
    if (incoming.method !== 'POST') return body(null, 405, emptyBody(incoming.method))
    const exchange = { incoming, outgoing }
    receiveBody(api, exchange, LEGACY_PATH, (...request) => handleLegacy(api, ...request)).catch((error: unknown) =>
      failRequest(api, exchange, error),
    )
    return RESPONSE_ALREADY_SENT
  })
  mount.get(`${ui.base}/`, (context) => context.redirect(ui.base, 307))
  mount.route(ui.base, ui.routes)
  return mount
}
