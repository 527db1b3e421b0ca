import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Actor } from './actions/action-log.ts'
import type { Session } from './auth/session.ts'

/** Hono's environment of the admin web UI. */
export interface AdminEnvironment {
  Bindings: HttpBindings
  Variables: {
    /** Set behind the login. */
    session: Session
    /** Set behind the login: whether a logout has ended the session meanwhile. */
    hasEnded(): Promise<boolean>
    /** The client of the request. */
    actor: Actor
  }
}

/** A request to the admin web UI, and its answer. */
export type AdminContext = Context<AdminEnvironment>
