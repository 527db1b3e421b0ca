import type { MisbehaviourCase } from './misbehaving-provider.ts'
import { APNS_CASE } from './providers/apns.ts'
import { FCM_CASE } from './providers/fcm.ts'
import { HMS_CASE } from './providers/hms.ts'
import { WEBPUSH_CASE } from './providers/webpush.ts'

/** All providers. */
export const MISBEHAVIOUR_CASES: readonly MisbehaviourCase[] = [FCM_CASE, APNS_CASE, HMS_CASE, WEBPUSH_CASE]
