import { PrivateCookie } from './private-cookie.ts'

/** The cookie with the token of a session. No link on another site makes the browser send it. */
export const sessionCookie = new PrivateCookie('centripush_admin', 'Strict')
