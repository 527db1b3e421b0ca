import { makeVapidKeys } from '../providers/webpush/vapid-keys.ts'
import { parseArguments } from './parse-arguments.ts'

const HELP = `Usage: centripush gen-vapid-keys

Makes a VAPID key pair for Web Push and prints the configuration that has it. Make it once and keep it: browsers that
subscribed with one key are not reached with another.
`

/** `centripush gen-vapid-keys`: prints a new pair as configuration. */
export async function runGenVapidKeys(argv: string[]): Promise<void> {
  const { values } = parseArguments({ args: argv, options: { help: { type: 'boolean', short: 'h', default: false } } })
  process.stdout.write(values.help ? HELP : describeKeys(makeVapidKeys()))
}

function describeKeys({ publicKey, privateKey }: { publicKey: string; privateKey: string }): string {
  return `# Put this into the configuration of centripush (YAML). The private key is a secret: it can also come from the file that
# CENTRIPUSH_PUSH_NOTIFICATIONS_WEBPUSH_VAPID_PRIVATE_KEY_FILE names.
push_notifications:
  webpush:
    # The applicationServerKey of the browser's pushManager.subscribe().
    vapid_public_key: ${JSON.stringify(publicKey)}
    vapid_private_key: ${JSON.stringify(privateKey)}
    # Whom push services may write to.
    subject: mailto:you@example.com
`
}
